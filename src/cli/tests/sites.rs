//! `site`, and accounts at a site.

use super::*;

#[tokio::test]
async fn a_second_site_has_extensions_of_its_own() {
    let world = World::initialised().await;
    let spoken = world.write("berlin.wav", wav::write(&Audio(vec![1000; 4000].into())).unwrap());
    let added = world.run(&format!("site add berlin --audio {spoken}"), "").await.unwrap();
    assert!(added.starts_with("site berlin added: change "), "{added}");
    world.run("user add 1000 --name Cy --site berlin", "").await.unwrap();
    let cy = world.json("user show 1000 --site berlin").await;
    assert_has(&cy, &json!({ "name": "Cy", "username": "1000@berlin", "site": "berlin", "roles": [] }));
    assert_has(&world.json("user show 1000").await, &json!({ "name": "Ann", "site": "main" }));
    let sites = world.json("site list").await;
    let sites = sites.as_array().unwrap();
    assert_eq!(sites.len(), 2);
    for site in [json!({ "name": "main", "accounts": 1 }), json!({ "name": "berlin", "accounts": 1 })] {
        assert!(sites.contains(&site), "{sites:?}");
    }
    let table = world.run("site list", "").await.unwrap();
    assert!(table.starts_with("NAME    ACCOUNTS\n") && table.contains("berlin  1\n"), "{table}");
    let taken = world.run("user add 1001 --username 1000@berlin", "").await.unwrap_err();
    assert!(taken.contains("usernames are unique over all sites"), "{taken}");
    let again = world.run("site add berlin", "").await.unwrap_err();
    assert!(again.contains("berlin"), "{again}");
    assert_eq!(world.json("site list").await.as_array().unwrap().len(), 2);
}
