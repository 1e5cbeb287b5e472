//! What each operator leaves, value by value.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use housecarl_policy::minimise::{Grid, Operator, Outcome, TimeForm, TimeUnit, minimise};
use housecarl_policy::value::{Decimal, Value};

fn number(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

/// What is left, as text; the words of the other outcomes in capitals.
fn left(operator: Operator, value: Value<'_>) -> String {
    match minimise(operator, value) {
        Outcome::Kept(Value::Null) => "null".to_owned(),
        Outcome::Kept(Value::Bool(bool)) => bool.to_string(),
        Outcome::Kept(Value::Number(number)) => number.to_string(),
        Outcome::Kept(Value::Text(text)) => format!("{text:?}"),
        Outcome::ToPseudonymise(_) => "CODE".to_owned(),
        Outcome::Counted => "COUNT".to_owned(),
        Outcome::Dropped => "DROPPED".to_owned(),
        Outcome::Unfit => "UNFIT".to_owned(),
    }
}

fn of_number(operator: Operator, text: &str) -> String {
    left(operator, Value::Number(number(text)))
}

#[test]
fn numbers_are_rounded_to_the_nearest_step_and_halfway_goes_up() {
    for (step, value, expected) in [
        ("5", "72", "70"),
        ("5", "72.5", "75"),
        ("5", "72.4999", "70"),
        ("5", "-72.5", "-70"),
        ("5", "-73", "-75"),
        ("0.5", "70.26", "70.5"),
        ("0.5", "70.2", "70"),
        ("10", "0", "0"),
        ("0.1", "1", "1"),
        ("3", "4.5", "6"),
    ] {
        assert_eq!(of_number(Operator::Round(number(step)), value), expected, "{value} to {step}");
    }
}

#[test]
fn bands_keep_their_lower_end() {
    for (width, value, expected) in [
        ("10", "4217", "4210"),
        ("10", "4220", "4220"),
        ("10", "-1", "-10"),
        ("25", "83", "75"),
        ("0.5", "0.99", "0.5"),
    ] {
        assert_eq!(of_number(Operator::Bucket(number(width)), value), expected, "{value} in {width}");
    }
}

#[test]
fn what_lies_outside_becomes_the_nearer_end() {
    let clamp = Operator::Clamp(number("40"), number("200"));
    for (value, expected) in
        [("39.9", "40"), ("40", "40"), ("120.5", "120.5"), ("200", "200"), ("200.1", "200"), ("-7", "40")]
    {
        assert_eq!(of_number(clamp, value), expected);
    }
}

#[test]
fn a_limit_is_reached_when_it_is_met() {
    let reached = Operator::Reached(number("38"));
    for (value, expected) in
        [("37.99", "false"), ("38", "true"), ("38.0", "true"), ("41", "true"), ("-38", "false")]
    {
        assert_eq!(of_number(reached, value), expected);
    }
}

#[test]
fn a_written_time_is_cut_and_nothing_behind_it_stays() {
    let cut = |unit| move |text| left(Operator::Time(unit, TimeForm::Iso), Value::Text(text));
    let time = "2026-02-01T10:15:59.123Z and more";
    assert_eq!(cut(TimeUnit::Minute)(time), "\"2026-02-01T10:15\"");
    assert_eq!(cut(TimeUnit::Hour)(time), "\"2026-02-01T10\"");
    assert_eq!(cut(TimeUnit::Day)(time), "\"2026-02-01\"");
    assert_eq!(cut(TimeUnit::Month)(time), "\"2026-02\"");
    assert_eq!(cut(TimeUnit::Hour)("2026-02-01 10:15"), "\"2026-02-01 10\"");
    for wrong in [
        "",
        "2026-02-01",
        "Anna Smith, 12 Mill Lane",
        "2026-02-0110:15:59",
        "2026x02-01T10",
        "ä026-02-01T10:15",
    ] {
        assert_eq!(cut(TimeUnit::Hour)(wrong), "UNFIT", "{wrong}");
    }
    assert_eq!(left(Operator::Time(TimeUnit::Hour, TimeForm::Iso), Value::Number(number("1"))), "UNFIT");
}

#[test]
fn a_counted_time_is_cut_in_its_own_unit() {
    let cut = |unit, form, value| left(Operator::Time(unit, form), Value::Number(number(value)));
    assert_eq!(cut(TimeUnit::Hour, TimeForm::Seconds, "1793487661"), "1793487600");
    assert_eq!(cut(TimeUnit::Minute, TimeForm::Seconds, "1793487661.9"), "1793487660");
    assert_eq!(cut(TimeUnit::Day, TimeForm::Millis, "1793487661123"), "1793404800000");
    assert_eq!(cut(TimeUnit::Hour, TimeForm::Nanos, "1793487661123456789"), "1793487600000000000");
    assert_eq!(cut(TimeUnit::Month, TimeForm::Seconds, "1793487661"), "UNFIT");
    let text = Value::Text("1793487661123456789");
    assert_eq!(left(Operator::Time(TimeUnit::Hour, TimeForm::Nanos), text), "1793487600000000000");
    assert_eq!(left(Operator::Time(TimeUnit::Hour, TimeForm::Seconds), Value::Text("soon")), "UNFIT");
    assert_eq!(left(Operator::Time(TimeUnit::Hour, TimeForm::Seconds), Value::Bool(true)), "UNFIT");
}

#[test]
fn a_place_is_put_on_its_grid() {
    for (grid, expected) in [(Grid::Km10, "51.5"), (Grid::Km1, "51.51"), (Grid::M100, "51.507")] {
        assert_eq!(of_number(Operator::Place(grid), "51.50735"), expected);
    }
    assert_eq!(of_number(Operator::Place(Grid::Km10), "-0.12776"), "-0.1");
    assert_eq!(left(Operator::Place(Grid::Km1), Value::Text("51.5")), "UNFIT");
}

#[test]
fn a_text_keeps_its_first_characters_whole() {
    let prefix = |text| left(Operator::Prefix(4), Value::Text(text));
    assert_eq!(prefix("SW1A 1AA"), "\"SW1A\"");
    assert_eq!(prefix("äöüßx"), "\"äöüß\"");
    assert_eq!(prefix("ab"), "\"ab\"");
    assert_eq!(left(Operator::Prefix(4), Value::Number(number("12345"))), "UNFIT");
}

#[test]
fn presence_and_count_leave_no_value() {
    for (value, presence, count) in [
        (Value::Null, "DROPPED", "DROPPED"),
        (Value::Bool(false), "DROPPED", "COUNT"),
        (Value::Bool(true), "true", "COUNT"),
        (Value::Text(""), "DROPPED", "COUNT"),
        (Value::Text("Anna"), "true", "COUNT"),
        (Value::Number(Decimal::ZERO), "DROPPED", "COUNT"),
        (Value::Number(Decimal::whole(7)), "true", "COUNT"),
    ] {
        assert_eq!(left(Operator::Presence, value), presence);
        assert_eq!(left(Operator::Count, value), count);
    }
}

#[test]
fn keep_drop_and_pseudonym_do_what_they_say() {
    let text = Value::Text("aa:bb");
    assert_eq!(left(Operator::Keep, text), "\"aa:bb\"");
    assert_eq!(left(Operator::Drop, text), "DROPPED");
    assert_eq!(left(Operator::Pseudonymise, text), "CODE");
    assert_eq!(left(Operator::Pseudonymise, Value::Number(number("7"))), "CODE");
    assert_eq!(left(Operator::Pseudonymise, Value::Bool(true)), "UNFIT");
    assert_eq!(left(Operator::Pseudonymise, Value::Null), "UNFIT");
    assert!(Operator::Drop.drops() && !Operator::Keep.drops());
}

#[test]
fn an_operator_of_numbers_drops_everything_else() {
    for operator in [
        Operator::Round(number("5")),
        Operator::Bucket(number("5")),
        Operator::Clamp(number("1"), number("2")),
        Operator::Reached(number("1")),
        Operator::Place(Grid::Km1),
    ] {
        for value in [Value::Null, Value::Bool(true), Value::Text("7")] {
            assert_eq!(left(operator, value), "UNFIT", "{operator:?}");
        }
    }
}

#[test]
fn a_number_too_large_for_its_step_is_dropped() {
    let huge = Value::Number(Decimal::new(i64::MAX, 18).unwrap());
    assert_eq!(left(Operator::Round(Decimal::new(1, -18).unwrap()), huge), "UNFIT");
    assert_eq!(left(Operator::Round(number("1000")), Value::Number(Decimal::whole(i64::MAX))), "UNFIT");
    assert_eq!(left(Operator::Bucket(number("1000")), Value::Number(Decimal::whole(i64::MIN))), "UNFIT");
}

#[test]
fn an_operator_is_read_from_the_parts_it_was_written_as() {
    let units = [TimeUnit::Minute, TimeUnit::Hour, TimeUnit::Day, TimeUnit::Month];
    let forms = [TimeForm::Iso, TimeForm::Seconds, TimeForm::Millis, TimeForm::Nanos];
    let times = units.iter().flat_map(|unit| forms.iter().map(|form| Operator::Time(*unit, *form)));
    let others = [
        Operator::Keep,
        Operator::Drop,
        Operator::Presence,
        Operator::Count,
        Operator::Round(number("5")),
        Operator::Bucket(number("0.5")),
        Operator::Clamp(number("-1"), number("1")),
        Operator::Reached(number("-38")),
        Operator::Place(Grid::Km10),
        Operator::Place(Grid::Km1),
        Operator::Place(Grid::M100),
        Operator::Prefix(1),
        Operator::Prefix(255),
        Operator::Pseudonymise,
    ];
    for operator in times.chain(others) {
        let (kind, small, first, second) = operator.parts();
        assert_eq!(Operator::from_parts(kind, small, first, second), Some(operator));
    }
    let zero = Decimal::ZERO;
    for (kind, small, first) in [
        (12, 0, zero),
        (255, 0, zero),
        (4, 0, zero),
        (5, 0, number("-1")),
        (8, 0x40, zero),
        (8, 0x04, zero),
        (9, 3, zero),
        (10, 0, zero),
    ] {
        assert_eq!(Operator::from_parts(kind, small, first, zero), None, "{kind} {small}");
    }
}

#[test]
fn a_number_is_read_and_printed_exactly() {
    for (text, expected) in [
        ("0", "0"),
        ("-0", "0"),
        ("0.000", "0"),
        ("1.500", "1.5"),
        ("-12.034", "-12.034"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("9223372036854775807", "9223372036854775807"),
        ("51.477826373291016", "51.477826373291016"),
        ("2e+1", "20"),
        ("1e-400", "0"),
        ("0.1234567890123456789", "0.123456789012345678"),
    ] {
        assert_eq!(number(text).to_string(), expected, "{text}");
    }
    for wrong in [
        "",
        "-",
        ".",
        ".5",
        "1.2.3",
        "1e",
        "e1",
        "NaN",
        "inf",
        "1,5",
        "0x10",
        "9223372036854775808",
        "1e19",
        " 1",
        "１",
    ] {
        assert_eq!(Decimal::parse(wrong), None, "{wrong}");
    }
    assert_eq!(Decimal::new(1, 19), None);
    assert_eq!(Decimal::new(1, -19), None);
    assert!(Decimal::new(1, 18).is_some() && Decimal::new(1, -18).is_some());
}
