//! Hashes, the queue before the workers, and PINs that are made.

use super::*;

fn pin(text: &str) -> Pin {
    Pin::parse(text).unwrap()
}

async fn hash(workers: &PinWorkers, text: &str, history: &[String]) -> Option<String> {
    match workers.choose(&pin(text), history).await.unwrap() {
        Chosen::Hash(hash) => Some(hash),
        Chosen::UsedBefore => None,
    }
}

#[tokio::test]
async fn a_hash_says_its_cost_and_fits_one_pin() {
    let workers = PinWorkers::start(1, PinCost::STANDARD).unwrap();
    let stored = hash(&workers, "904826", &[]).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=47104,t=2,p=1$"), "{stored}");
    assert!(workers.verify(Lane::Strangers, Some(&stored), &pin("904826")).await.unwrap());
    assert!(!workers.verify(Lane::Strangers, Some(&stored), &pin("904827")).await.unwrap());
    assert!(!workers.verify(Lane::Strangers, None, &pin("904826")).await.unwrap());
}

/// Its memory is ours, and it has copies of its own of what it makes of a PIN.
#[test]
fn what_argon2_works_with_is_wiped() {
    fn is_wiped<T: zeroize::Zeroize>() {}
    // Only with that feature of the crate it is so, and then its own copies are wiped too.
    is_wiped::<Block>();
}

#[tokio::test]
async fn the_last_five_are_forbidden_each_with_its_reverse_and_its_plus_ones() {
    let workers = PinWorkers::start(2, PinCost::CHEAP_FOR_TESTS).unwrap();
    // Each as it is, reversed, plus one as a number, plus one digit by digit.
    let last = [
        ["618049", "940816", "618050", "729150"],
        ["730185", "581037", "730186", "841296"],
        ["904829", "928409", "904830", "015930"],
        ["407193", "391704", "407194", "518204"],
        ["395062", "260593", "395063", "406173"],
    ];
    let mut history = Vec::new();
    for [pin, ..] in last {
        history.push(hash(&workers, pin, &history).await.unwrap());
    }
    for forbidden in last.into_iter().flatten() {
        assert!(hash(&workers, forbidden, &history).await.is_none(), "{forbidden}");
    }
    // A step back, two steps, another length.
    for free in ["618048", "618051", "507938", "61804", "6180490"] {
        assert!(hash(&workers, free, &history).await.is_some(), "{free}");
    }
    assert!(hash(&workers, "618049", &history[1..]).await.is_some(), "the sixth last");
}

#[tokio::test]
async fn the_history_forbids_reverses_and_plus_ones() {
    let workers = PinWorkers::start(2, PinCost::CHEAP_FOR_TESTS).unwrap();
    let first = hash(&workers, "618049", &[]).await.unwrap();
    let second = hash(&workers, "730185", std::slice::from_ref(&first)).await.unwrap();
    let history = [first, second];
    for used in ["618049", "940816", "618050", "729150", "730185", "730186"] {
        assert!(hash(&workers, used, &history).await.is_none(), "{used}");
    }
    let third = hash(&workers, "904826", &history).await.unwrap();
    assert!(workers.verify(Lane::Strangers, Some(&third), &pin("904826")).await.unwrap());
}

#[tokio::test]
async fn a_stored_hash_can_t_ask_for_terabytes() {
    let workers = PinWorkers::start(1, PinCost::CHEAP_FOR_TESTS).unwrap();
    let stored = hash(&workers, "904826", &[]).await.unwrap();
    for dear in [stored.replace("m=8", "m=4000000000"), stored.replace("t=1", "t=4000000"), "rubbish".to_owned()] {
        assert!(!workers.verify(Lane::Strangers, Some(&dear), &pin("904826")).await.unwrap(), "{dear}");
    }
}

#[tokio::test]
async fn a_stored_hash_asks_for_so_much_work_and_no_more() {
    let workers = PinWorkers::start(1, PinCost::CHEAP_FOR_TESTS).unwrap();
    let stored = hash(&workers, "904826", &[]).await.unwrap();
    let of = |memory: &str, passes: &str| stored.replace("m=8", memory).replace("t=1", passes);
    assert!(parse_hash(&of("m=65536", "t=8")).is_some());
    for dear in [of("m=65537", "t=1"), of("m=8", "t=9")] {
        assert!(parse_hash(&dear).is_none(), "{dear}");
        assert!(!workers.verify(Lane::Strangers, Some(&dear), &pin("904826")).await.unwrap(), "{dear}");
    }
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let workers = PinWorkers::start(1, PinCost::STANDARD).unwrap();
    let tries: Vec<_> =
        (0..PIN_QUEUE_MAX * 2).map(|_| Box::pin(workers.verify(Lane::Strangers, None, &DIGITS))).collect();
    static DIGITS: std::sync::LazyLock<Pin> = std::sync::LazyLock::new(|| pin("904826"));
    let mut busy = 0;
    let mut waiting = Vec::new();
    for mut attempt in tries {
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(attempt.as_mut().poll(cx))).await;
        match polled {
            std::task::Poll::Ready(Err(StoreError::PinsBusy)) => busy += 1,
            _ => waiting.push(attempt),
        }
    }
    assert!(busy >= PIN_QUEUE_MAX - 2, "{busy}");
}

#[tokio::test]
async fn strangers_wait_for_the_known_and_their_full_lane_keeps_nobody_else_out() {
    let workers = Arc::new(PinWorkers::start(1, PinCost { memory_kib: 4096, passes: 2 }).unwrap());
    let order = Arc::new(Mutex::new(Vec::new()));
    let ask = |lane: Lane| {
        let (workers, order) = (Arc::clone(&workers), Arc::clone(&order));
        tokio::spawn(async move {
            let outcome = workers.verify(lane, None, &pin("904826")).await;
            order.lock().unwrap().push(lane);
            outcome.is_ok()
        })
    };
    let mut strangers: Vec<_> = (0..PIN_QUEUE_MAX * 2).map(|_| ask(Lane::Strangers)).collect();
    // One thread: all of them have asked before this goes on.
    for _ in 0..PIN_QUEUE_MAX {
        tokio::task::yield_now().await;
    }
    let refused = order.lock().unwrap().len();
    assert!(refused >= PIN_QUEUE_MAX - 2, "{refused}");
    let known: Vec<_> = (0..PIN_QUEUE_MAX / 2).map(|_| ask(Lane::Known)).collect();
    for known in known {
        assert!(known.await.unwrap(), "the lane of the known is not full");
    }
    let answered = order.lock().unwrap()[refused..].iter().filter(|lane| **lane == Lane::Strangers).count();
    assert!(answered <= 3, "{answered} strangers were answered before {} who are known", PIN_QUEUE_MAX / 2);
    let mut looked_at = 0;
    for stranger in strangers.drain(..) {
        looked_at += usize::from(stranger.await.unwrap());
    }
    assert_eq!(looked_at + refused, PIN_QUEUE_MAX * 2, "in the end each one that waited is answered");
}

#[test]
fn temporary_pins_are_made_by_chance() {
    let extension = Extension::parse("1004").unwrap();
    let mut seen = [[0; 10]; 8];
    let mut all = std::collections::HashSet::new();
    for _ in 0..2000 {
        let made = random_pin(8, &extension).unwrap();
        for (place, digit) in made.digits().bytes().enumerate() {
            seen[place][usize::from(digit - b'0')] += 1;
        }
        all.insert(made.digits().to_owned());
    }
    assert!(all.len() >= 1995, "{} different ones of 2000", all.len());
    // 200 of each digit at each place; the policy shifts that a little. Seven standard deviations.
    assert!(seen.iter().flatten().all(|count| (100..=300).contains(count)), "{seen:?}");
}

#[test]
fn temporary_pins_satisfy_the_policy() {
    let extension = Extension::parse("1004").unwrap();
    for digits in [6, 8] {
        for _ in 0..50 {
            let made = random_pin(digits, &extension).unwrap();
            assert_eq!(made.digits().len(), digits);
            assert_eq!(policy::check(&made, digits, &extension), Ok(()));
        }
    }
}

#[test]
fn a_random_pin_is_drawn_so_often_and_no_more() {
    let extension = Extension::parse("1004").unwrap();
    for (bad, expected) in [(0, Some("904826")), (999, Some("904826")), (1000, None)] {
        let drawn = std::cell::Cell::new(0);
        let draw = || {
            drawn.set(drawn.get() + 1);
            Ok(pin(if drawn.get() <= bad { "111111" } else { "904826" }))
        };
        match (first_good(draw, 6, &extension), expected) {
            (Ok(good), Some(digits)) => assert_eq!((good.digits(), drawn.get()), (digits, bad + 1)),
            (Err(StoreError::NoRandom), None) => assert_eq!(drawn.get(), 1000),
            (made, _) => panic!("after {bad} bad ones: {made:?}"),
        }
    }
}
