//! `line`, `gateway`, `proxy`, `attendant`, `group`, `callcenter` and `handset`.

use super::*;

#[tokio::test]
async fn lines_gateways_and_proxies() {
    let world = World::initialised().await;
    for kind in ["line", "gateway", "proxy"] {
        let said = world.run(&format!("{kind} add 1 first --uri sip:192.0.2.7:5060"), "").await.unwrap();
        assert!(said.starts_with(&format!("{kind} 1 added: change ")), "{said}");
        world.run(&format!("{kind} add 20 second"), "").await.unwrap();
        let first = json!({
            "number": 1, "name": "first", "uri": "sip:192.0.2.7:5060", "enabled": true, "reachable": null,
            "round_trip_ms": null, "checked_at": null,
        });
        assert_has(&world.json(&format!("{kind} show 1")).await, &first);
        let listed = world.json(&format!("{kind} list")).await;
        assert_has(&listed[0], &first);
        assert_has(&listed[1], &json!({ "number": 20, "name": "second", "uri": null }));
        let disabled = world.run(&format!("{kind} disable 1"), "").await.unwrap();
        assert!(disabled.starts_with(&format!("{kind} 1 disabled: change ")), "{disabled}");
        let again = world.run(&format!("{kind} disable 1"), "").await.unwrap();
        assert_eq!(again, format!("{kind} 1 disabled: it was so already, nothing was changed\n"));
        assert_eq!(world.json(&format!("{kind} show 1")).await["enabled"], json!(false));
        world.run(&format!("{kind} disable 20"), "").await.unwrap();
        world.run(&format!("{kind} enable 1"), "").await.unwrap();
        let shown = world.run(&format!("{kind} show 1"), "").await.unwrap();
        assert!(shown.contains("enabled           yes\nreachable         -\n"), "{shown}");
        world.run(&format!("{kind} delete 1"), "").await.unwrap();
        for verb in ["show", "enable", "disable", "delete"] {
            let gone = world.run(&format!("{kind} {verb} 1"), "").await.unwrap_err();
            assert_eq!(gone, format!("there is no {kind} 1: see which there are with `switchhook {kind} list`"));
        }
    }
}

#[tokio::test]
async fn what_a_line_can_t_be() {
    let world = World::initialised().await;
    for uri in ["192.0.2.7", "tel:1000", "sip:", "http://gw.example.com"] {
        let refused = world.run(&format!("line add 1 first --uri {uri}"), "").await.unwrap_err();
        assert!(refused.contains("SIP URI"), "{refused}");
    }
    world.run("line add 1 first", "").await.unwrap();
    let taken = world.run("line add 1 second", "").await.unwrap_err();
    assert!(taken.contains("line 1 exists already"), "{taken}");
    let missing = world.run(&format!("line add 2 second --audio {}", world.path("no.wav")), "").await.unwrap_err();
    assert!(missing.contains("no.wav can't be read"), "{missing}");
    assert_eq!(world.json("line list").await.as_array().unwrap().len(), 1);
    assert_eq!(usage("line show 0"), ErrorKind::ValueValidation);
    assert_eq!(usage("gateway add 1"), ErrorKind::MissingRequiredArgument);
}

#[tokio::test]
async fn an_attendant_plays_a_recording() {
    let world = World::initialised().await;
    world.run("attendant add 3 reception", "").await.unwrap();
    world.run("recording add 7 lunch", "").await.unwrap();
    assert_eq!(world.json("attendant show 3").await, json!({ "number": 3, "name": "reception", "recording": null }));
    let said = world.run("attendant set 3 --recording 7", "").await.unwrap();
    assert!(said.starts_with("attendant 3 plays recording 7: change "), "{said}");
    let expected = json!([{ "number": 3, "name": "reception", "recording": 7 }]);
    assert_eq!(world.json("attendant list").await, expected);
    let shown = world.run("attendant show 3", "").await.unwrap();
    assert_eq!(shown, "number     3\nname       reception\nrecording  7\n");
    let unknown = world.run("attendant set 3 --recording 8", "").await.unwrap_err();
    assert!(unknown.contains("there is no recording 8"), "{unknown}");
    let unknown = world.run("attendant set 4 --recording 7", "").await.unwrap_err();
    assert_eq!(unknown, "there is no attendant 4: see which there are with `switchhook attendant list`");
    world.run("attendant delete 3", "").await.unwrap();
    assert_eq!(world.json("attendant list").await, json!([]));
    assert_eq!(usage("attendant set 3"), ErrorKind::MissingRequiredArgument);
}

#[tokio::test]
async fn a_group_and_its_members() {
    let world = World::initialised().await;
    world.run("user add 1042", "").await.unwrap();
    world.run("group add 5 sales", "").await.unwrap();
    let said = world.run("group add-member 5 1042", "").await.unwrap();
    assert!(said.starts_with("group 5: member 1042 added: change "), "{said}");
    world.run("group add-member 5 1000", "").await.unwrap();
    let again = world.run("group add-member 5 1000", "").await.unwrap();
    assert_eq!(again, "group 5: member 1000 added: it was so already, nothing was changed\n");
    let expected = json!({ "number": 5, "name": "sales", "members": ["1042", "1000"] });
    assert_eq!(world.json("group show 5").await, expected, "in the order in which they came");
    assert_eq!(world.json("group list").await, json!([expected]));
    let nobody = world.run("group add-member 5 4711", "").await.unwrap_err();
    assert!(nobody.contains("there is no extension 4711"), "{nobody}");
    let elsewhere = world.run("group add-member 5 1000 --site berlin", "").await.unwrap_err();
    assert!(elsewhere.contains("no site `berlin`"), "{elsewhere}");
    world.run("group remove-member 5 1042", "").await.unwrap();
    let shown = world.run("group show 5", "").await.unwrap();
    assert_eq!(shown, "number   5\nname     sales\nmembers  1000\n");
    world.run("group delete 5", "").await.unwrap();
    let gone = world.run("group show 5", "").await.unwrap_err();
    assert_eq!(gone, "there is no group 5: see which there are with `switchhook group list`");
}

#[tokio::test]
async fn a_call_center_opens_and_closes() {
    let world = World::initialised().await;
    world.run("callcenter add 9 support", "").await.unwrap();
    let said = world.run("callcenter open 9", "").await.unwrap();
    assert!(said.starts_with("callcenter 9 opened: change "), "{said}");
    let expected = json!({ "number": 9, "name": "support", "open": true });
    assert_eq!(world.json("callcenter show 9").await, expected);
    assert_eq!(world.json("callcenter list").await, json!([expected]));
    world.run("callcenter close 9", "").await.unwrap();
    let again = world.run("callcenter close 9", "").await.unwrap();
    assert_eq!(again, "callcenter 9 closed: it was so already, nothing was changed\n");
    assert_eq!(world.run("callcenter show 9", "").await.unwrap(), "number  9\nname    support\nopen    no\n");
    world.run("callcenter delete 9", "").await.unwrap();
    world.run("callcenter open 9", "").await.unwrap_err();
}

#[tokio::test]
async fn a_handset_finds_its_user() {
    let world = World::initialised().await;
    let said = world.run("handset add 0004F212ABCD --name desk", "").await.unwrap();
    assert!(said.starts_with("handset 00:04:f2:12:ab:cd added: change "), "{said}");
    let free = json!([{ "mac": "00:04:f2:12:ab:cd", "name": "desk", "extension": null, "site": null }]);
    assert_eq!(world.json("handset list").await, free);
    world.run("handset assign 00-04-f2-12-ab-cd 1000", "").await.unwrap();
    let owned = json!([{ "mac": "00:04:f2:12:ab:cd", "name": "desk", "extension": "1000", "site": "main" }]);
    assert_eq!(world.json("handset list").await, owned);
    let table = world.run("handset list", "").await.unwrap();
    assert!(table.contains("00:04:f2:12:ab:cd  desk  1000       main\n"), "{table}");
    let nobody = world.run("handset assign 0004f212abcd 4711", "").await.unwrap_err();
    assert!(nobody.contains("there is no extension 4711"), "{nobody}");
    let unknown = world.run("handset assign 0004f212abce 1000", "").await.unwrap_err();
    assert!(unknown.contains("00:04:f2:12:ab:ce"), "{unknown}");
    world.run("handset remove 0004f212abcd", "").await.unwrap();
    assert_eq!(world.json("handset list").await, free);
    world.run("handset delete 0004f212abcd", "").await.unwrap();
    assert_eq!(world.json("handset list").await, json!([]));
    assert_eq!(usage("handset add 0004f212abc"), ErrorKind::ValueValidation);
}
