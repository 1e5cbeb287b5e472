//! The values that a payload can hold, without floats: numbers are scaled integers.

/// A number as `mantissa × 10^exponent`, exactly as the payload wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decimal {
    mantissa: i64,
    exponent: i8,
}

/// The largest power of ten that an `i128` product of an `i64` can stand.
const POWERS: u32 = 18;

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, exponent: 0 };

    /// `mantissa × 10^exponent`, for exponents from -18 to 18.
    #[must_use]
    pub const fn new(mantissa: i64, exponent: i8) -> Option<Self> {
        if exponent.unsigned_abs() as u32 > POWERS { None } else { Some(Self { mantissa, exponent }) }
    }

    /// A whole number.
    #[must_use]
    pub const fn whole(mantissa: i64) -> Self {
        Self { mantissa, exponent: 0 }
    }

    /// The digits.
    #[must_use]
    pub const fn mantissa(self) -> i64 {
        self.mantissa
    }

    /// The power of ten.
    #[must_use]
    pub const fn exponent(self) -> i8 {
        self.exponent
    }

    /// Reads a number in JSON's form. Digits beyond what 18 places can hold are cut off; `None`
    /// where it is no number, or too large or too small a one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (digits, power) = match rest.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.strip_prefix('+').unwrap_or(power).parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() {
            return None;
        }
        let mut mantissa: i64 = 0;
        let mut exponent = power;
        for (place, digit) in whole.bytes().map(|d| (false, d)).chain(fraction.bytes().map(|d| (true, d))) {
            let digit = i64::from(digit.checked_sub(b'0').filter(|d| *d <= 9)?);
            match mantissa.checked_mul(10).and_then(|m| m.checked_add(digit)) {
                Some(longer) => {
                    mantissa = longer;
                    if place {
                        exponent = exponent.checked_sub(1)?;
                    }
                }
                None if place => break,
                None => return None,
            }
        }
        // Trailing zeros only cost room: 1.500 is 15 × 10^-1.
        while exponent < 0 && mantissa.checked_rem(10) == Some(0) && mantissa != 0 {
            mantissa = mantissa.checked_div(10)?;
            exponent = exponent.checked_add(1)?;
        }
        while exponent < -18 && mantissa != 0 {
            mantissa = mantissa.checked_div(10)?;
            exponent = exponent.checked_add(1)?;
        }
        let mantissa = if negative { mantissa.checked_neg()? } else { mantissa };
        if mantissa == 0 {
            return Some(Self::ZERO);
        }
        Self::new(mantissa, i8::try_from(exponent).ok()?)
    }

    /// The mantissa at a smaller exponent; `None` where it does not fit.
    fn at(self, exponent: i8) -> Option<i128> {
        let up = u32::try_from(i32::from(self.exponent).checked_sub(i32::from(exponent))?).ok()?;
        i128::from(self.mantissa).checked_mul(10_i128.checked_pow(up)?)
    }

    fn pair(self, other: Self) -> Option<(i128, i128, i8)> {
        let exponent = self.exponent.min(other.exponent);
        Some((self.at(exponent)?, other.at(exponent)?, exponent))
    }

    /// A result without trailing zeros: how exactly it was measured is not to be seen in it.
    fn of(mut mantissa: i128, mut exponent: i8) -> Option<Self> {
        while exponent < 0 && mantissa.checked_rem(10) == Some(0) {
            mantissa = mantissa.checked_div(10)?;
            exponent = exponent.checked_add(1)?;
        }
        Self::new(i64::try_from(mantissa).ok()?, exponent)
    }

    /// The largest multiple of `step` that is not above the number.
    #[must_use]
    pub fn floor_to(self, step: Self) -> Option<Self> {
        let (number, step, exponent) = self.pair(step)?;
        if step <= 0 {
            return None;
        }
        Self::of(number.checked_sub(number.checked_rem_euclid(step)?)?, exponent)
    }

    /// The nearest multiple of `step`; halfway goes up.
    #[must_use]
    pub fn round_to(self, step: Self) -> Option<Self> {
        let (number, width, exponent) = self.pair(step)?;
        if width <= 0 {
            return None;
        }
        // Twice the number, so that half a step is whole.
        let twice = number.checked_mul(2)?.checked_add(width)?;
        let steps = twice.checked_div_euclid(width.checked_mul(2)?)?;
        Self::of(steps.checked_mul(width)?, exponent)
    }

    /// The same number, or the nearest end of `low..=high`.
    #[must_use]
    pub fn clamp_to(self, low: Self, high: Self) -> Option<Self> {
        Some(if self.is_less(low)? {
            low
        } else if high.is_less(self)? {
            high
        } else {
            self
        })
    }

    /// Whether the number is below another.
    #[must_use]
    pub fn is_less(self, other: Self) -> Option<bool> {
        let (number, other, _) = self.pair(other)?;
        Some(number < other)
    }
}

impl core::fmt::Display for Decimal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let places = u32::try_from(i32::from(self.exponent).saturating_neg()).unwrap_or(0);
        let zeros = u32::try_from(self.exponent).unwrap_or(0);
        let size = self.mantissa.unsigned_abs();
        if self.mantissa < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", size.checked_div(10_u64.saturating_pow(places)).unwrap_or(0))?;
        if size != 0 {
            (0..zeros).try_for_each(|_| f.write_str("0"))?;
        }
        if places > 0 {
            f.write_str(".")?;
        }
        // Digit by digit: a width that is known only at run time could panic.
        (0..places).rev().try_for_each(|place| {
            let digit = size.checked_div(10_u64.saturating_pow(place)).and_then(|n| n.checked_rem(10));
            write!(f, "{}", digit.unwrap_or(0))
        })
    }
}

/// A value at a declared place of a payload. It borrows the payload's text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value<'v> {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A text.
    Text(&'v str),
}

impl core::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // A value from a payload is personal until decided otherwise.
        f.write_str("Value")
    }
}
