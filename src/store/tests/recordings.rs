use super::*;
use crate::access::RestoreTo;
use crate::model::Civil;

const ONE: RecordingNumber = RecordingNumber(1);

async fn live(world: &World) -> Audio {
    match world.ask(&Actor::Shell, Action::ListenRecording { number: ONE }).await {
        Reply::Audio(Some(audio)) => audio,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keeping_and_going_back() {
    let world = World::new().await;
    let actor = world.actor("1002", "83517294").await;
    let keep = |n| Action::KeepRecording { number: ONE, audio: tone(n) };
    let back = |to| Action::RestoreRecording { number: ONE, to };
    assert_eq!(world.ask(&actor, back(RestoreTo::Previous)).await, refused(Refusal::NothingThere));
    assert_eq!(
        world.ask(&actor, Action::OpenRecording { number: ONE }).await,
        Reply::Recording { factory: true, draft: None }
    );
    assert_eq!(world.ask(&actor, keep(20)).await, Reply::Changed(ChangeNumber(20)));
    assert_eq!(world.ask(&actor, keep(21)).await, Reply::Changed(ChangeNumber(21)));
    assert_eq!(live(&world).await, tone(21));
    assert_eq!(world.ask(&actor, back(RestoreTo::Previous)).await, Reply::Changed(ChangeNumber(22)));
    assert_eq!(live(&world).await, tone(20));
    assert_eq!(world.ask(&actor, back(RestoreTo::Factory)).await, Reply::Changed(ChangeNumber(23)));
    assert_eq!(live(&world).await, tone(1));
    assert_eq!(world.ask(&actor, back(RestoreTo::Factory)).await, refused(Refusal::NothingThere));

    let row = world.store.recording(ONE).await.unwrap();
    assert_eq!((row.version, row.factory, row.changed_by.as_str()), (Some(1), true, "1002"));
    let changes = world.store.changes(Some("1002"), Some(1)).await.unwrap();
    assert_eq!(changes[0].action, "recording.restored");
    assert_eq!((changes[0].before.as_deref(), changes[0].after.as_deref()), (Some("version 2"), Some("version 1")));
    let history = world.store.recording_history(ONE).await.unwrap();
    let shown: Vec<_> = history.iter().map(|v| (v.version, v.live, v.factory, v.account.as_str(), v.change)).collect();
    assert_eq!(
        shown,
        [(1, true, true, "cli", Some(15)), (2, false, false, "1002", Some(20)), (3, false, false, "1002", Some(21))]
    );
}

#[tokio::test]
async fn a_draft_waits_for_its_owner() {
    let world = World::new().await;
    let owner = world.actor("1002", "83517294").await;
    let other = world.actor("1001", "52961847").await;
    let open = Action::OpenRecording { number: ONE };
    let save = Action::SaveDraft { number: ONE, audio: tone(30) };
    assert_eq!(world.ask(&owner, save.clone()).await, Reply::Done);
    assert_eq!(live(&world).await, tone(1), "the live one is not touched");
    let waiting = Reply::Recording { factory: true, draft: Some(tone(30)) };
    assert_eq!(world.ask(&owner, open.clone()).await, waiting);
    assert_eq!(world.ask(&other, open.clone()).await, Reply::Recording { factory: true, draft: None });
    assert!(world.store.recording(ONE).await.unwrap().draft);

    let kept = world.ask(&owner, Action::KeepRecording { number: ONE, audio: tone(30) }).await;
    assert!(matches!(kept, Reply::Changed(_)));
    assert_eq!(world.ask(&owner, open.clone()).await, Reply::Recording { factory: false, draft: None });
    world.ask(&owner, save).await;
    let discard = Action::DiscardDraft { number: ONE };
    assert_eq!(world.ask(&owner, discard.clone()).await, Reply::Done);
    assert_eq!(world.ask(&owner, discard).await, refused(Refusal::NothingThere));
}

#[tokio::test]
async fn who_changed_it_and_when() {
    let world = World::new().await;
    let actor = world.actor("1002", "83517294").await;
    let who = Action::WhoChangedRecording { number: ONE };
    match world.ask(&actor, who.clone()).await {
        Reply::Who { by: None, spoken_name: None, at: Some(_) } => {}
        other => panic!("{other:?}"),
    }
    world.ask(&actor, Action::KeepRecording { number: ONE, audio: tone(40) }).await;
    match world.ask(&actor, who).await {
        Reply::Who { by, spoken_name: None, at: Some(Civil { year: 2026, .. }) } => assert_eq!(by, Some(ext("1002"))),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn there_is_none_of_that_number() {
    let world = World::new().await;
    let number = RecordingNumber(77);
    for action in [
        Action::OpenRecording { number },
        Action::ListenRecording { number },
        Action::KeepRecording { number, audio: tone(1) },
        Action::RestoreRecording { number, to: RestoreTo::Factory },
        Action::WhoChangedRecording { number },
    ] {
        assert_eq!(world.ask(&Actor::Shell, action.clone()).await, refused(Refusal::Unknown), "{action:?}");
    }
    let actor = world.actor("1002", "83517294").await;
    let save = Action::SaveDraft { number, audio: tone(1) };
    assert_eq!(world.ask(&actor, save).await, refused(Refusal::Unknown));
}

#[tokio::test]
async fn a_recording_has_its_limits() {
    let world = World::with(|options| options.recording_s_max = 2).await;
    let keep = |samples: usize| Action::KeepRecording { number: ONE, audio: Audio(vec![7; samples].into()) };
    assert_eq!(world.ask(&Actor::Shell, keep(0)).await, refused(Refusal::NothingThere));
    assert_eq!(world.ask(&Actor::Shell, keep(16_001)).await, refused(Refusal::TryLater));
    assert_eq!(live(&world).await, tone(1));
    for _ in 0..25 {
        assert!(matches!(world.ask(&Actor::Shell, keep(16_000)).await, Reply::Changed(_)));
    }
    let history = world.store.recording_history(ONE).await.unwrap();
    let kept: Vec<i64> = history.iter().filter(|v| v.kept).map(|v| v.version).collect();
    assert_eq!(kept, [vec![1], (7..=26).collect()].concat(), "the factory one and the last twenty");
}

#[tokio::test]
async fn a_change_brings_its_export_and_its_event() {
    let world = World::new().await;
    for due in world.store.commands().await.unwrap() {
        let run = ["tell".to_owned()];
        if due.kind == "export" {
            let claimed = world.store.claim_export(&world.cli()).await.unwrap().unwrap();
            assert_eq!(claimed.id, due.id);
            assert!(
                world.store.claim_hook(&world.cli(), &run).await.unwrap().is_none(),
                "not before the file is there"
            );
            world.store.finish(&world.cli(), due.id, IntentState::Done, "").await.unwrap();
        } else {
            let claimed = world.store.claim_hook(&world.cli(), &run).await.unwrap().unwrap();
            world.store.finish(&world.cli(), claimed.id, IntentState::Done, "").await.unwrap();
        }
    }
    let actor = world.actor("1002", "83517294").await;
    let mut woken = world.store.intents_changed();
    world.ask(&actor, Action::KeepRecording { number: ONE, audio: tone(50) }).await;
    assert!(woken.has_changed().unwrap());
    woken.mark_unchanged();
    let export = world.store.claim_export(&world.ctx()).await.unwrap().unwrap();
    assert_eq!((export.subject.as_str(), export.tries), ("1", 1));
    world.store.finish(&world.ctx(), export.id, IntentState::Done, "").await.unwrap();
    let hook = world.store.claim_hook(&world.ctx(), &["tell".to_owned()]).await.unwrap().unwrap();
    let told: serde_json::Value = serde_json::from_str(&hook.payload).unwrap();
    let expected = serde_json::json!({
        "event": "recording.changed", "at": "2026-01-31T08:15:00.000Z", "account": "1002", "target": "1", "change": 20,
        "data": { "number": 1, "version": 2, "action": "recording.changed" },
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_hook_waits_for_the_export_of_its_own_recording_only() {
    let mut world = World::with(|options| options.hooks.push(options.hooks[0].clone())).await;
    let run = ["tell".to_owned()];
    let rows = world.store.commands().await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.kind == "hook").count(), 5, "one for each event, not for each entry");
    let first = world.store.claim_export(&world.cli()).await.unwrap().unwrap();
    assert!(world.store.claim_hook(&world.cli(), &run).await.unwrap().is_none(), "the file is not there yet");
    world.store.finish(&world.cli(), first.id, IntentState::Done, "").await.unwrap();
    let hook = world.store.claim_hook(&world.cli(), &run).await.unwrap().unwrap();
    assert!(world.store.claim_hook(&world.cli(), &run).await.unwrap().is_none(), "one after the other");
    world.store.finish(&world.cli(), hook.id, IntentState::Done, "").await.unwrap();
    assert!(world.store.claim_hook(&world.cli(), &run).await.unwrap().is_none(), "the second file is not there");
    world.now += 10 * MINUTE - 1;
    assert!(world.store.claim_hook(&world.cli(), &run).await.unwrap().is_none(), "ten minutes");
    world.now += 1;
    assert!(world.store.claim_hook(&world.cli(), &run).await.unwrap().is_some(), "not for ever");
}
