//! Figures as people read them, and whether a bound is met.

/// A ratio with as many digits as mean anything.
#[must_use]
pub fn figure(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { grouped(ratio) }
}

/// A number as people read it.
#[must_use]
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a figure may be.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// This and no more.
    AtMost(f64),
    /// This and no less.
    AtLeast(f64),
}

/// Prints a figure with its bound and whether it is met. The figure that was measured is compared,
/// not the one that is printed: nothing is met by rounding.
pub fn verdict(what: &str, bound: Bound, measured: f64, unit: &str) {
    let (words, limit, met) = match bound {
        Bound::AtMost(limit) => ("at most", limit, measured <= limit),
        Bound::AtLeast(limit) => ("at least", limit, measured >= limit),
    };
    let met = if met { "met" } else { "NOT MET" };
    let measured = if measured.abs() < 100.0 { format!("{measured:.2}") } else { grouped(measured) };
    println!("  BOUND  {what:<52}{measured:>10} {unit}, {words} {limit} {unit}: {met}");
}
