//! Calls what a device calls of the policy, on values the compiler cannot foresee.
//!
//! What is not called here is not linked, and so not looked at: a new public function is added to
//! the list. Only `Debug` and `Display` are left out, for a device prints nothing. The fuzz target
//! `table` runs the same list on a host.

use core::hint::black_box;

use housecarl_policy::path::{Found, Marks};
use housecarl_policy::{
    Act, AgeBand, Decimal, DeviceStanding, Gate, ItemId, Matcher, Operator, PurposeId, PurposeSet, Question,
    Standing, Steps, StreamId, Subject, Table, Value, decide, minimise,
};

/// Everything, in the order in which a device meets it: the table from `bytes`, and all that is
/// asked of it from `unknown`. Whether the bytes were a table.
pub fn all(bytes: &[u8], unknown: &[u8]) -> bool {
    let mut unknown = Unknown(unknown);
    let Ok(table) = Table::read(bytes) else { return false };
    tables(&table, &mut unknown);
    paths(&table, &mut unknown);
    decisions(&table, &mut unknown);
    values(&mut unknown);
    true
}

fn tables(table: &Table<'_>, unknown: &mut Unknown<'_>) {
    for (id, item) in table.items() {
        let step = unknown.byte();
        black_box((id, table.step(&item, step), table.operator(&item, step), table.text(item.name)));
    }
    for (id, stream) in table.streams() {
        black_box((id, table.text(stream.name), table.text(stream.topic)));
    }
    for id in table.purposes().iter() {
        let (Some(purpose), Some(gate)) = (table.purpose(id), Gate::from_byte(unknown.byte())) else {
            continue;
        };
        black_box((table.line(&purpose, gate), table.text(purpose.name), gate.name()));
        black_box((purpose.basis.can_be_objected_to(), table.children_likely()));
    }
}

fn paths(table: &Table<'_>, unknown: &mut Unknown<'_>) {
    let mut matcher = Matcher::new(table, StreamId(u16::from_le_bytes(unknown.array())));
    for _ in 0..unknown.byte() {
        let (name, member) = (unknown.text(), unknown.value());
        let found = match unknown.byte() {
            0 => matcher.begin_object(|key| (key != name).then_some(member)),
            1 => matcher.begin_array(),
            2 => matcher.scalar(unknown.bit()),
            3 => {
                matcher.key(name);
                continue;
            }
            _ => {
                matcher.end();
                continue;
            }
        };
        match black_box(found) {
            Ok(Found::Undeclared(place)) => drop(black_box(matcher.shape(place))),
            Ok(Found::Inside(marks) | Found::Json(marks) | Found::Leaf(_, marks)) => {
                black_box(marks.has(Marks::RECORD));
            }
            Err(_) => return,
        }
    }
}

fn decisions(table: &Table<'_>, unknown: &mut Unknown<'_>) {
    let people = [unknown.standing(), unknown.standing(), unknown.standing()];
    let [first, ..] = &people;
    let device = DeviceStanding {
        agreed: unknown.purposes(),
        refused: unknown.purposes(),
        available: unknown.purposes(),
        features: u32::from_le_bytes(unknown.array()),
        changed_at: u32::from_le_bytes(unknown.array()),
    };
    let device = if unknown.bit() { device.carried_over(unknown.purposes()) } else { device };
    let subject = match unknown.byte() {
        0 => Subject::Person(first),
        1 => Subject::Household(people.get(..usize::from(unknown.byte())).unwrap_or(&people)),
        _ => Subject::Bystander,
    };
    let Some(act) = Act::from_byte(unknown.byte()) else { return };
    let item = ItemId(u16::from_le_bytes(unknown.array()));
    let (received, now) = (u64::from_le_bytes(unknown.array()), u64::from_le_bytes(unknown.array()));
    let decision = decide(table, &device, subject, Question { item, act, received, now });
    black_box(decision);
    if let Some(purpose) = PurposeId::new(unknown.byte()) {
        black_box(decision.gate(purpose));
    }
    for gate in Gate::EVERY {
        black_box(decision.closed_by(*gate).len());
    }
}

fn values(unknown: &mut Unknown<'_>) {
    let (kind, small) = (unknown.byte(), unknown.byte());
    let Some(operator) = Operator::from_parts(kind, small, unknown.decimal(), unknown.decimal()) else {
        return;
    };
    black_box((minimise(operator, unknown.value()), operator.parts(), operator.drops()));
    let (number, other) = (unknown.decimal(), unknown.decimal());
    black_box((number.floor_to(other), number.round_to(other), number.is_less(other)));
    black_box((number.clamp_to(other, unknown.decimal()), number.mantissa(), number.exponent()));
}

/// Makes values of every kind out of bytes. Where they run out, zero.
struct Unknown<'b>(&'b [u8]);

impl<'b> Unknown<'b> {
    fn bytes(&mut self, count: usize) -> &'b [u8] {
        let (head, tail) = self.0.split_at_checked(count).unwrap_or_default();
        self.0 = tail;
        head
    }

    fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    fn bit(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).first_chunk().copied().unwrap_or([0; N])
    }

    fn text(&mut self) -> &'b str {
        let length = usize::from(self.byte());
        core::str::from_utf8(self.bytes(length)).unwrap_or_default()
    }

    fn purposes(&mut self) -> PurposeSet {
        let mut purposes = PurposeSet::from_bits(u128::from_le_bytes(self.array()));
        let Some(purpose) = PurposeId::new(self.byte()) else { return purposes };
        purposes.remove(purpose);
        purposes.insert(purpose);
        black_box((purposes.contains(purpose), purposes.is_empty(), purposes.bits()));
        purposes.without(PurposeSet::of(purpose)) & purposes | [purpose].into_iter().collect()
    }

    fn standing(&mut self) -> Standing {
        let band = AgeBand::from_byte(self.byte()).unwrap_or(AgeBand::Unknown);
        let mut standing = Standing::unasked(band.assumed(self.bit()));
        black_box((band.is_child(), band.needs_parent()));
        for _ in 0..self.byte() {
            let Some(purpose) = PurposeId::new(self.byte()) else { continue };
            if self.bit() { standing.agree(purpose) } else { standing.refuse(purpose) }
        }
        standing.choose_precision(self.byte(), self.byte());
        black_box(standing.precision(self.byte()));
        standing.steps = Steps::from_bytes(black_box(standing.steps.to_bytes()));
        standing.told = self.purposes();
        standing.authorised = self.purposes();
        standing.restricted = self.purposes();
        standing.no_marketing = self.bit();
        standing.carried_over(self.purposes())
    }

    fn value(&mut self) -> Value<'b> {
        match self.byte() {
            0 => Value::Null,
            1 => Value::Bool(self.bit()),
            2 => Value::Number(self.decimal()),
            _ => Value::Text(self.text()),
        }
    }

    fn decimal(&mut self) -> Decimal {
        if self.bit() {
            return Decimal::parse(self.text()).unwrap_or(Decimal::ZERO);
        }
        let mantissa = i64::from_le_bytes(self.array());
        Decimal::new(mantissa, i8::from_le_bytes(self.array())).unwrap_or(Decimal::whole(mantissa))
    }
}
