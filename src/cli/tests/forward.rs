//! `forward`.

use super::*;

#[tokio::test]
async fn calls_go_elsewhere_and_come_back() {
    let world = World::initialised().await;
    let said = world.run("forward set 1000 busy 1005", "").await.unwrap();
    assert_eq!(said, "1000 forwarded to 1005 (busy): change 2\n");
    world.run("forward set 1000 no-answer 2125551234", "").await.unwrap();
    let shown = world.json("forward show 1000").await;
    assert_eq!(shown, json!({ "always": null, "busy": "1005", "no_answer": "2125551234" }));
    assert_eq!(world.json("user show 1000").await["forwarding"], shown);
    let shown = world.run("forward show 1000", "").await.unwrap();
    assert_eq!(shown, "always     -\nbusy       1005\nno-answer  2125551234\n");
    world.run("forward off 1000 busy", "").await.unwrap();
    assert_eq!(world.json("forward show 1000").await["busy"], Value::Null);
    world.run("forward off 1000 all", "").await.unwrap();
    let off = json!({ "always": null, "busy": null, "no_answer": null });
    assert_eq!(world.json("forward show 1000").await, off);
    let again = world.run("forward off 1000 all", "").await.unwrap();
    assert_eq!(again, "1000 not forwarded (all): it was so already, nothing was changed\n");
}

#[tokio::test]
async fn the_toll_policy_holds_here_too() {
    let world = World::initialised().await;
    for to in ["0049891234", "19005551234", "7"] {
        let refused = world.run(&format!("forward set 1000 always {to}"), "").await;
        assert!(refused.is_err(), "{refused:?}");
    }
    assert_eq!(world.json("forward show 1000").await["always"], Value::Null);
    let nobody = world.run("forward show 4711", "").await.unwrap_err();
    assert!(nobody.contains("there is no extension 4711"), "{nobody}");
}

#[test]
fn wrong_usage() {
    assert_eq!(usage("forward set 1000 sometimes 1005"), ErrorKind::ValueValidation);
    assert_eq!(usage("forward set 1000 all 1005"), ErrorKind::ValueValidation);
    assert_eq!(usage("forward set 1000 busy +4930123"), ErrorKind::ValueValidation);
    assert_eq!(usage("forward off 1000"), ErrorKind::MissingRequiredArgument);
}
