//! Each operator against another way to work out the same: integers without an end, or text.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;

use housecarl_oracle::dice::Dice;
use housecarl_policy::minimise::{Grid, TimeForm, TimeUnit};
use housecarl_policy::{Decimal, Operator, Outcome, Value, minimise};
use num_bigint::BigInt;

const CASES: u64 = 40_000;

/// The number as a count of 10^-36: exact for every decimal there is.
fn exact(number: Decimal) -> BigInt {
    let power = u32::try_from(i32::from(number.exponent()) + 36).unwrap();
    BigInt::from(number.mantissa()) * BigInt::from(10).pow(power)
}

fn floor_div(number: &BigInt, by: &BigInt) -> BigInt {
    let quotient = number / by;
    let back = &quotient * by;
    if back > *number { quotient - 1 } else { quotient }
}

/// A number as payloads have them: small, with a few places, and now and then anything.
fn number(dice: &mut Dice) -> Decimal {
    if dice.percent(5) {
        let exponent = i8::try_from(dice.from_to(0, 36)).unwrap() - 18;
        return Decimal::new(dice.bits().cast_signed(), exponent).unwrap();
    }
    let mantissa = i64::try_from(dice.below(2_000_000)).unwrap() - 1_000_000;
    let exponent = i8::try_from(dice.from_to(0, 8)).unwrap() - 6;
    Decimal::new(mantissa, exponent).unwrap()
}

fn width(dice: &mut Dice) -> Decimal {
    let (mantissa, exponent) =
        *dice.pick(&[(1, 0), (5, 0), (10, 0), (1, 1), (25, -2), (3, 0), (7, -3), (1, 3)]);
    Decimal::new(mantissa, exponent).unwrap()
}

fn kept(operator: Operator, number: Decimal) -> Option<Decimal> {
    match minimise(operator, Value::Number(number)) {
        Outcome::Kept(Value::Number(left)) => Some(left),
        Outcome::Unfit => None,
        other => panic!("{operator:?} of {number} is {other:?}"),
    }
}

/// A moderate number always has a result: only what no decimal can hold may be unfit.
fn is_moderate(number: Decimal) -> bool {
    number.mantissa().unsigned_abs() < 1_000_000_000 && number.exponent().unsigned_abs() < 7
}

fn check_steps(operator: fn(Decimal) -> Operator, expected: fn(&BigInt, &BigInt) -> BigInt) {
    let mut dice = Dice::of(7);
    let mut written: BTreeMap<(String, String), String> = BTreeMap::new();
    for _ in 0..CASES {
        let (number, width) = (number(&mut dice), width(&mut dice));
        let Some(left) = kept(operator(width), number) else {
            assert!(!is_moderate(number), "nothing is left of {number} in steps of {width}");
            continue;
        };
        let (number, exact_width) = (exact(number), exact(width));
        let step = expected(&number, &exact_width);
        assert_eq!(exact(left), &step * &exact_width, "{number} in steps of {width}");
        // Once more changes nothing.
        assert_eq!(kept(operator(width), left).map(exact), Some(exact(left)));
        // Which of the numbers in the step it was cannot be seen, not even in how it is written.
        let other =
            written.entry((step.to_string(), format!("{width:?}"))).or_insert_with(|| left.to_string());
        assert_eq!(*other, left.to_string());
    }
}

#[test]
fn bucket_leaves_the_lower_end() {
    check_steps(Operator::Bucket, floor_div);
}

#[test]
fn round_leaves_the_nearest_and_halves_go_up() {
    check_steps(Operator::Round, |number, width| floor_div(&(number * 2 + width), &(width * 2)));
}

#[test]
fn place_rounds_degrees() {
    for (grid, places) in [(Grid::Km10, 1), (Grid::Km1, 2), (Grid::M100, 3)] {
        let mut dice = Dice::of(places);
        for _ in 0..CASES / 4 {
            let degrees =
                Decimal::new(i64::try_from(dice.below(3_600_000)).unwrap() - 1_800_000, -4).unwrap();
            let left = kept(Operator::Place(grid), degrees).unwrap();
            // Degrees have few digits: a float is exact enough to say which cell it is.
            let scale = 10_f64.powi(i32::try_from(places).unwrap());
            let float: f64 = degrees.to_string().parse().unwrap();
            let shown: f64 = left.to_string().parse().unwrap();
            assert!((shown - float).abs() <= 0.5 / scale + 1e-9, "{degrees} is shown as {left}");
            assert!(((shown * scale).round() - shown * scale).abs() < 1e-6, "{left} is not on the grid");
            assert_eq!(kept(Operator::Place(grid), left).map(exact), Some(exact(left)));
        }
    }
}

#[test]
fn clamp_shows_nothing_outside() {
    let mut dice = Dice::of(11);
    for _ in 0..CASES {
        let (number, mut low, mut high) = (number(&mut dice), number(&mut dice), number(&mut dice));
        if exact(low) > exact(high) {
            (low, high) = (high, low);
        }
        let operator = Operator::Clamp(low, high);
        let Some(left) = kept(operator, number) else {
            assert!(!(is_moderate(number) && is_moderate(low) && is_moderate(high)));
            continue;
        };
        assert_eq!(exact(left), exact(number).clamp(exact(low), exact(high)));
        if exact(number) <= exact(low) {
            assert_eq!(left.to_string(), low.to_string(), "how it was written shows where it was");
        }
        if is_moderate(low) && is_moderate(high) {
            assert_eq!(kept(operator, left).map(exact), Some(exact(left)));
        }
    }
}

#[test]
fn reached_is_a_yes_or_a_no() {
    let mut dice = Dice::of(13);
    for _ in 0..CASES {
        let (number, limit) = (number(&mut dice), number(&mut dice));
        match minimise(Operator::Reached(limit), Value::Number(number)) {
            Outcome::Kept(Value::Bool(reached)) => assert_eq!(reached, exact(number) >= exact(limit)),
            Outcome::Unfit => assert!(!(is_moderate(number) && is_moderate(limit))),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_counted_time_is_cut_to_its_unit() {
    let units = [(TimeUnit::Minute, 60), (TimeUnit::Hour, 3_600), (TimeUnit::Day, 86_400)];
    let forms = [(TimeForm::Seconds, 1), (TimeForm::Millis, 1_000), (TimeForm::Nanos, 1_000_000_000)];
    let mut dice = Dice::of(17);
    for _ in 0..CASES {
        let ((unit, seconds), (form, scale)) = (*dice.pick(&units), *dice.pick(&forms));
        let time = (i64::try_from(dice.below(4_000_000_000)).unwrap() - 1_000_000_000) * scale
            + i64::try_from(dice.below(u64::try_from(scale).unwrap())).unwrap();
        let expected = time.div_euclid(seconds * scale) * seconds * scale;
        let text = time.to_string();
        for value in [Value::Number(Decimal::whole(time)), Value::Text(&text)] {
            match minimise(Operator::Time(unit, form), value) {
                Outcome::Kept(Value::Number(cut)) => assert_eq!(cut.to_string(), expected.to_string()),
                other => panic!("{unit:?} of {time}: {other:?}"),
            }
        }
    }
    // A month has no fixed length: nothing is left rather than something wrong.
    for (form, _) in forms {
        let cut = minimise(Operator::Time(TimeUnit::Month, form), Value::Number(Decimal::whole(1)));
        assert_eq!(cut, Outcome::Unfit);
    }
}

#[test]
fn a_written_time_is_cut_and_anything_else_goes() {
    let units = [(TimeUnit::Minute, 16), (TimeUnit::Hour, 13), (TimeUnit::Day, 10), (TimeUnit::Month, 7)];
    let mut dice = Dice::of(19);
    for _ in 0..CASES {
        let (unit, characters) = *dice.pick(&units);
        let (year, month, day) = (dice.from_to(1970, 2090), dice.from_to(1, 12), dice.from_to(1, 31));
        let (hour, minute, second) = (dice.place(24), dice.place(60), dice.place(60));
        let between = *dice.pick(&["T", " "]);
        let end = *dice.pick(&["Z", "", ".123Z", "+01:00"]);
        let mut text = format!("{year}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{end}");
        let expected: String = text.chars().take(characters).collect();
        let operator = Operator::Time(unit, TimeForm::Iso);
        assert_eq!(minimise(operator, Value::Text(&text)), Outcome::Kept(Value::Text(&expected)));
        assert_eq!(minimise(operator, Value::Text(&expected)), Outcome::Kept(Value::Text(&expected)));
        // One character of what is kept is something else: it is no time, and nothing is left.
        let at = dice.place(characters);
        let other = *dice.pick(&["x", "é", "/", ""]);
        text.replace_range(at..=at, other);
        let spoilt = minimise(operator, Value::Text(&text));
        assert_eq!(spoilt, Outcome::Unfit, "{unit:?} of {text}");
    }
}

#[test]
fn prefix_is_counted_in_characters() {
    let mut dice = Dice::of(23);
    for _ in 0..CASES / 4 {
        let text: String =
            (0..dice.place(12)).map(|_| *dice.pick(&['S', 'W', '1', ' ', 'é', 'ß', '東', '🏠'])).collect();
        let characters = u8::try_from(dice.from_to(1, 8)).unwrap();
        let expected: String = text.chars().take(usize::from(characters)).collect();
        let operator = Operator::Prefix(characters);
        assert_eq!(minimise(operator, Value::Text(&text)), Outcome::Kept(Value::Text(&expected)));
        assert_eq!(minimise(operator, Value::Text(&expected)), Outcome::Kept(Value::Text(&expected)));
    }
}

fn operators(dice: &mut Dice) -> Vec<Operator> {
    let low = width(dice);
    vec![
        Operator::Keep,
        Operator::Drop,
        Operator::Presence,
        Operator::Count,
        Operator::Round(width(dice)),
        Operator::Bucket(width(dice)),
        Operator::Clamp(low, Decimal::whole(100_000)),
        Operator::Reached(number(dice)),
        Operator::Time(TimeUnit::Hour, TimeForm::Iso),
        Operator::Time(TimeUnit::Day, TimeForm::Nanos),
        Operator::Place(Grid::Km1),
        Operator::Prefix(3),
        Operator::Pseudonymise,
    ]
}

#[test]
fn a_value_of_the_wrong_form_never_passes() {
    let mut dice = Dice::of(29);
    for _ in 0..1_000 {
        let some = number(&mut dice);
        for operator in operators(&mut dice) {
            for value in
                [Value::Null, Value::Bool(true), Value::Number(some), Value::Text("no number, no time")]
            {
                let numeric = matches!(
                    operator,
                    Operator::Round(_)
                        | Operator::Bucket(_)
                        | Operator::Clamp(..)
                        | Operator::Reached(_)
                        | Operator::Place(_)
                        | Operator::Time(_, TimeForm::Nanos)
                );
                let fits = match (operator, value) {
                    (Operator::Keep | Operator::Drop | Operator::Presence | Operator::Count, _) => true,
                    (Operator::Prefix(_), Value::Text(_)) => true,
                    (Operator::Pseudonymise, Value::Text(_) | Value::Number(_)) => true,
                    (_, Value::Number(_)) => numeric,
                    _ => false,
                };
                let left = minimise(operator, value);
                assert!(fits || left == Outcome::Unfit, "{operator:?} let a wrong form pass");
                // Only "as measured" leaves a value that was not worked on.
                if let (Outcome::Kept(kept), Operator::Presence | Operator::Reached(_)) = (left, operator) {
                    assert!(matches!(kept, Value::Bool(_)));
                }
            }
        }
    }
}

#[test]
fn what_leaves_nothing_leaves_nothing() {
    let mut dice = Dice::of(31);
    let zero = Value::Number(Decimal::ZERO);
    for value in [Value::Null, Value::Bool(false), Value::Bool(true), Value::Text(""), Value::Text("x"), zero]
    {
        assert_eq!(minimise(Operator::Drop, value), Outcome::Dropped);
        assert_eq!(minimise(Operator::Keep, value), Outcome::Kept(value));
        let nothing = value == Value::Null;
        assert_eq!(minimise(Operator::Count, value) == Outcome::Counted, !nothing);
        let is_there = value == Value::Bool(true) || value == Value::Text("x");
        let presence = minimise(Operator::Presence, value);
        assert_eq!(presence == Outcome::Kept(Value::Bool(true)), is_there);
    }
    // An operator survives its way through a table.
    for _ in 0..1_000 {
        for operator in operators(&mut dice) {
            let (kind, small, first, second) = operator.parts();
            assert_eq!(Operator::from_parts(kind, small, first, second), Some(operator));
        }
    }
}

#[test]
fn a_number_is_read_as_it_was_written() {
    let mut dice = Dice::of(37);
    for _ in 0..CASES {
        let digits = |dice: &mut Dice, most: usize| -> String {
            (0..dice.from_to(1, most))
                .map(|_| char::from(b'0' + u8::try_from(dice.below(10)).unwrap()))
                .collect()
        };
        let (whole, fraction) = (digits(&mut dice, 8), digits(&mut dice, 7));
        let power = i32::try_from(dice.from_to(0, 12)).unwrap() - 6;
        let sign = if dice.percent(50) { "-" } else { "" };
        let text = match dice.below(3) {
            0 => format!("{sign}{whole}"),
            1 => format!("{sign}{whole}.{fraction}"),
            _ => format!("{sign}{whole}.{fraction}{}{power}", dice.pick(&["e", "E"])),
        };
        let (number, power) =
            text.split_once(['e', 'E']).map_or((text.as_str(), 0), |(number, _)| (number, power));
        let places = number.split_once('.').map_or(0, |(_, fraction)| i32::try_from(fraction.len()).unwrap());
        let all: BigInt = number.replace('.', "").parse().unwrap();
        let expected = all * BigInt::from(10).pow(u32::try_from(36 + power - places).unwrap());
        let read = Decimal::parse(&text).unwrap_or_else(|| panic!("{text} is a number"));
        assert_eq!(exact(read), expected, "{text}");
        // And written again it is the same number.
        assert_eq!(Decimal::parse(&read.to_string()).map(exact), Some(expected), "{text} as {read}");
    }
}
