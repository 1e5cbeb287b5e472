//! What strangers, broken devices and broken networks do.

use std::time::Duration;

use housecarl_server::ingest::mqtt::Limits;
use housecarl_server::ingest::{BindError, Door, Refusal, Transport};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

use crate::house::{House, PATIENCE, limits, login};
use crate::notation::bytes;

fn plain() -> Transport {
    Transport::Plain { beyond_loopback: false }
}

#[tokio::test]
async fn nothing_travels_in_the_clear_unasked() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let refused = Door::bind(everywhere, plain()).await.unwrap_err();
    assert_eq!(refused, BindError::PlainBeyondLoopback(everywhere));
    assert!(refused.to_string().contains("`plain_beyond_loopback = true`"), "{refused}");
    assert!(Door::bind("[::]:0".parse().unwrap(), plain()).await.is_err());
    assert!(Door::bind(everywhere, Transport::Plain { beyond_loopback: true }).await.is_ok());
    let held = Door::bind("127.0.0.1:0".parse().unwrap(), plain()).await.unwrap();
    let taken = Door::bind(held.address().unwrap(), plain()).await.unwrap_err();
    assert!(matches!(taken, BindError::Address(..)), "{taken}");
}

#[tokio::test]
async fn who_says_nothing_is_put_out() {
    let house = House::open().await;
    let mut silent = house.raw().await;
    house.until("it is let in", |house| house.counters.open() == 1).await;
    tokio::time::pause();
    let begun = Instant::now();
    silent.expect_end().await;
    let silent = begun.elapsed();
    assert!((9..=10).contains(&silent.as_secs()), "ten seconds, not {silent:?}");
    tokio::time::resume();
    assert_eq!(house.counters.refused(Refusal::Late), 1);
    house.close().await;
}

#[tokio::test]
async fn who_dribbles_is_put_out_as_soon() {
    let house = House::open().await;
    let mut slow = house.raw().await;
    let connect = bytes(&login(4, "c", "kettle"));
    house.until("it is let in", |house| house.counters.open() == 1).await;
    tokio::time::pause();
    let begun = Instant::now();
    for byte in &connect[..connect.len() - 1] {
        if begun.elapsed() < Duration::from_secs(9) {
            slow.send_bytes(&[*byte]).await;
            tokio::time::advance(Duration::from_millis(300)).await;
        }
    }
    slow.expect_end().await;
    assert!(begun.elapsed() < Duration::from_secs(11), "every byte is not another ten seconds");
    tokio::time::resume();
    assert_eq!(house.counters.refused(Refusal::Late), 1);
    house.close().await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_put_out_too() {
    let house = House::open().await;
    house.gateway.authenticated_slowly.send_replace(true);
    let mut raw = house.raw().await;
    raw.send(&login(5, "c", "kettle")).await;
    house.until("it is let in", |house| house.counters.open() == 1).await;
    tokio::time::pause();
    raw.expect_end().await;
    tokio::time::resume();
    assert_eq!(house.counters.refused(Refusal::Late), 1);
    house.close().await;
}

#[tokio::test]
async fn strangers_send_little() {
    let house = House::open().await;
    // The length says it, so that not a byte of it has to come.
    let mut large = house.raw().await;
    large.send("10 80 40 00").await;
    large.expect_end().await;
    assert_eq!(house.counters.refused(Refusal::TooMuch), 1);
    // As large as may be, and one byte more.
    for (length, is_let_in) in [(8192, true), (8193, false)] {
        let around = bytes("10( ['MQTT'] 04 C2 003C [] ['kettle'] ['right'] )").len() + 1;
        let name = "n".repeat(length - around);
        let mut raw = house.raw().await;
        raw.send(&login(4, &name, "kettle")).await;
        if is_let_in {
            raw.expect("20 02 00 00").await;
        } else {
            raw.expect_end().await;
        }
    }
    assert_eq!(house.counters.refused(Refusal::TooMuch), 2);
    house.close().await;
}

#[tokio::test]
async fn so_many_strangers_from_one_address() {
    let house = House::with(Limits { callers_per_address_max: 64, ..limits() }, plain()).await;
    let mut strangers = Vec::new();
    for _ in 0..64 {
        strangers.push(house.raw().await);
    }
    house.until("they are let in", |house| house.counters.open() == 64).await;
    let mut one_more = house.raw().await;
    one_more.expect_end().await;
    assert_eq!(house.counters.refused(Refusal::AddressFull), 1);
    // Who is known is a stranger no longer.
    strangers[0].send(&login(4, "c", "kettle")).await;
    strangers[0].expect("20 02 00 00").await;
    let mut known = house.login(4, "d").await;
    known.is_alive().await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn so_many_connections() {
    let house = House::with(Limits { connections_max: 2, ..limits() }, plain()).await;
    let (mut first, second) = (house.login(4, "a").await, house.login(4, "b").await);
    house.raw().await.expect_end().await;
    assert_eq!(house.counters.refused(Refusal::Full), 1);
    first.is_alive().await.unwrap();
    drop(second);
    house.until("there is room", |house| house.counters.open() == 1).await;
    house.login(4, "c").await.is_alive().await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn a_packet_over_the_limit_ends_the_connection() {
    for ((version, properties), goodbye) in [(4, ""), (5, "00")].into_iter().zip(["", "E0 01 95"]) {
        let house = House::open().await;
        let mut raw = house.login(version, "c").await;
        // 1 MiB of payload is taken whole.
        let mut large = bytes(&format!("['a/kept'] 0001 {properties}"));
        large.resize(large.len() + (1 << 20), b'x');
        raw.send_bytes(&[&[0x32], &length(large.len())[..], &large].concat()).await;
        raw.expect("40 02 0001").await;
        assert_eq!(house.kept()[0].payload.len(), 1 << 20);
        // What is larger is refused by its length alone.
        raw.send_bytes(&[&[0x32][..], &length((1 << 20) + (8 << 10))].concat()).await;
        raw.expect(goodbye).await;
        raw.expect_end().await;
        // No other packet is ever that large.
        let mut raw = house.login(version, "c").await;
        raw.send_bytes(&[&[0x82][..], &length(8 << 10)].concat()).await;
        raw.expect(goodbye).await;
        raw.expect_end().await;
        house.close().await;
    }
}

fn length(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = if number > 127 { 0x80 } else { 0 };
        bytes.push(u8::try_from(number % 128).unwrap() | more);
        number /= 128;
        if number == 0 {
            return bytes;
        }
    }
}

#[tokio::test]
async fn a_panic_ends_its_own_connection() {
    let house = House::open().await;
    let mut bystander = house.login(4, "bystander").await;
    let mut raw = house.login(4, "c").await;
    raw.send("32( ['a/panic'] 0001 'x' )").await;
    raw.expect_end().await;
    house.until("it is counted", |house| house.counters.panics() == 1).await;
    bystander.is_alive().await.unwrap();
    // The seat, the place and the number of its address are free again.
    house.login(4, "c").await.is_alive().await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn who_reads_nothing_is_not_read_from() {
    let house = House::with(Limits { unsent_bytes_max: 1000, ..limits() }, plain()).await;
    let mut deaf = house.raw().await;
    deaf.send("10( ['MQTT'] 04 C2 000A ['c'] ['kettle'] ['right'] )").await;
    deaf.skip_packet().await;
    // Asked again and again, and never read: at some point nothing more is taken from it.
    let asked = bytes("C0 00").repeat(50_000);
    let mut stuck = false;
    for _ in 0..1000 {
        if timeout(Duration::from_millis(200), deaf.send_bytes(&asked)).await.is_err() {
            stuck = true;
            break;
        }
    }
    assert!(stuck, "the answers to all of this are somewhere in memory");
    // And in the end it is taken to be gone.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(40)).await;
    tokio::time::resume();
    house.until("it is gone", |house| house.counters.open() == 0).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once() {
    let house = House::open().await;
    let mut coming = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let address = house.address;
        coming.spawn(async move {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let mut raw = crate::house::Raw(stream);
            let version = if number % 2 == 0 { 4 } else { 5 };
            let properties = if version == 5 { "00" } else { "" };
            raw.send(&login(version, "c", &format!("device-{number}"))).await;
            raw.skip_packet().await;
            raw.send(&format!("32( ['a/kept'] 0001 {properties} 'x' )")).await;
            raw.expect("40 02 0001").await;
            raw
        });
    }
    let all = timeout(PATIENCE, coming.join_all()).await.expect("all are served");
    assert_eq!(house.counters.open(), 1000);
    assert_eq!(house.kept().len(), 1000);
    drop(all);
    house.close().await;
}

/// Bytes at random, packets with bytes changed, cut, repeated and joined, from strangers and from devices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_bytes_end_their_connection_at_worst() {
    const WHOLE: &[(u8, &str)] = &[
        (4, "10( ['MQTT'] 04 C6 003C ['c'] ['w'] ['m'] ['kettle'] ['right'] )"),
        (
            5,
            "10( ['MQTT'] 05 C6 003C { 21 0010 26 ['k'] ['v'] } ['c'] { 18 00000001 } ['w'] ['m'] ['kettle'] ['right'] )",
        ),
        (4, "32( ['a/kept'] 0001 'payload' )"),
        (5, "32( ['a/kept'] 0001 { 01 01 03 ['t'] 08 ['r'] 09 ['c'] 26 ['k'] ['v'] } 'payload' )"),
        (4, "82( 0001 ['housecarl/v1/kettle/policy'] 01 ['a/#'] 00 )"),
        (5, "82( 0001 { 26 ['k'] ['v'] } ['housecarl/v1/kettle/policy'] 2D ['a/#'] 00 )"),
        (4, "A2( 0001 ['housecarl/v1/kettle/policy'] )"),
        (5, "A2( 0001 { 26 ['k'] ['v'] } ['a'] )"),
        (4, "40 02 0001"),
        (5, "40( 0001 10 { 1F ['s'] } )"),
        (4, "E0 00"),
        (5, "E0( 04 { 11 00000000 1F ['s'] 26 ['k'] ['v'] } )"),
        (5, "F0( 18 { 15 ['m'] 16 ['d'] } )"),
    ];
    let house = House::open().await;
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for round in 0..1500_u32 {
        let (version, whole) = WHOLE[dice.below(WHOLE.len())];
        let mut sent = bytes(whole);
        if round % 10 == 0 {
            sent = (0..dice.below(300)).map(|_| dice.byte()).collect();
        }
        for _ in 0..=dice.below(3) {
            let at = dice.below(sent.len());
            match dice.below(5) {
                0 => sent.truncate(at),
                1 => sent.insert(at, dice.byte()),
                2 => sent.extend(bytes(WHOLE[dice.below(WHOLE.len())].1)),
                3 if !sent.is_empty() => sent[at] ^= 1 << dice.below(8),
                _ if !sent.is_empty() => sent[at] = dice.byte(),
                _ => {}
            }
        }
        let is_known = dice.below(2) == 0;
        let mut raw = if is_known { house.login(version, "c").await } else { house.raw().await };
        // The other side may have ended it before all is sent.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut raw.0, &sent).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut raw.0).await;
        let mut answer = Vec::new();
        let ended = timeout(PATIENCE, raw.0.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "the connection hangs after {sent:02X?}");
        assert!(answer.len() < 4096, "{} bytes come of {sent:02X?}", answer.len());
    }
    assert_eq!(house.counters.panics(), 0);
    house.until("all are gone", |house| house.counters.open() == 0).await;
    house.login(5, "c").await.is_alive().await.unwrap();
    house.close().await;
}

/// Repeatable random numbers (xorshift64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap().checked_rem(end).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}
