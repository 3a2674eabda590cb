use super::*;

fn user(extension: &str) -> Admin {
    Admin::AddUser { extension: ext(extension), name: "Ann".into(), username: None, roles: vec![], pin: None }
}

#[tokio::test]
async fn a_new_user_gets_a_temporary_pin_of_eight_digits() {
    let world = World::new().await;
    let AdminReply::Added { temporary: Some(made), change } = world.admin(user("1042")).await.unwrap() else {
        panic!("no temporary PIN")
    };
    assert_eq!(change, ChangeNumber(20));
    assert_eq!(made.digits().len(), 8);
    assert!(world.session("1042", made.digits()).await.must_change_pin);
    let row = world.store.user(world.store.site(), &ext("1042"), Wall(world.now)).await.unwrap();
    assert_eq!((row.username.as_str(), row.name.as_str(), row.site.as_str()), ("1042@main", "Ann", "main"));
    assert!(row.pin_temporary && !row.voicemail_pin_set && row.enabled);
    assert!(matches!(world.admin(user("1042")).await, Err(AdminError::ExtensionTaken(_))));
    let other = Admin::AddUser {
        extension: ext("1043"),
        name: String::new(),
        username: Some("1042@main".into()),
        roles: vec![],
        pin: None,
    };
    assert!(matches!(world.admin(other).await, Err(AdminError::UsernameTaken(_))));
}

#[tokio::test]
async fn a_given_pin_must_satisfy_the_policy() {
    let world = World::new().await;
    let add = |roles: Vec<Role>, digits: &str| Admin::AddUser {
        extension: ext("1042"),
        name: String::new(),
        username: None,
        roles,
        pin: Some(pin(digits)),
    };
    let short = world.admin(add(vec![Role::PhoneAdministrator], "736195")).await;
    assert!(matches!(short, Err(AdminError::Pin(PinFault::TooShort(8)))));
    let simple = world.admin(add(vec![], "111111")).await;
    assert!(matches!(simple, Err(AdminError::Pin(PinFault::TooSimple))));
    assert_eq!(world.store.changes(None, None).await.unwrap().len(), 19, "nothing was changed");
    world.admin(add(vec![], "736195")).await.unwrap();
    assert!(!world.session("1042", "736195").await.must_change_pin);
    let set = Admin::SetPin { extension: ext("1042"), pin: pin("736195"), temporary: false };
    assert!(matches!(world.admin(set).await, Err(AdminError::Pin(PinFault::UsedBefore))));
}

#[tokio::test]
async fn there_is_always_an_enabled_server_administrator() {
    let world = World::new().await;
    let (extension, role) = (ext("1000"), Role::ServerAdministrator);
    let attempts = [
        Admin::DeleteUser { extension: extension.clone() },
        Admin::SetEnabled { extension: extension.clone(), enabled: false },
        Admin::RemoveRole { role, extension: extension.clone() },
    ];
    for attempt in &attempts {
        let error = world.admin(attempt.clone()).await.err().unwrap();
        assert!(matches!(error, AdminError::LastServerAdministrator(_)), "{error}");
    }
    world.admin(Admin::AssignRole { role, extension: ext("1001") }).await.unwrap();
    world.admin(Admin::SetEnabled { extension: ext("1001"), enabled: false }).await.unwrap();
    assert!(world.admin(attempts[0].clone()).await.is_err(), "the other one is disabled");
    world.admin(Admin::SetEnabled { extension: ext("1001"), enabled: true }).await.unwrap();
    world.admin(attempts[0].clone()).await.unwrap();
    let holders = world.store.role_holders(world.store.site()).await.unwrap();
    assert_eq!(holders[0], RoleHolder { role: "server-administrator", holders: vec!["1001".into()] });
}

#[tokio::test]
async fn the_voicemail_pin_is_verified_under_its_own_lock() {
    let mut world = World::new().await;
    let verify = |extension: &str, digits: &str| Admin::VerifyVoicemailPin {
        extension: ext(extension),
        pin: pin(digits),
        caller: None,
    };
    let (right, wrong) = (AdminReply::Verified { right: true }, AdminReply::Verified { right: false });
    assert_eq!(world.admin(verify("1005", "407193")).await.unwrap(), right);
    assert_eq!(world.last_audit().await, "cli voicemail_pin.verified 1005 ok");
    assert_eq!(world.admin(verify("407193", "1005")).await.unwrap(), wrong);
    assert_eq!(world.last_audit().await, "cli voicemail_pin.verified unknown failed");
    for _ in 0..5 {
        assert_eq!(world.admin(verify("1005", "407194")).await.unwrap(), wrong);
    }
    assert_eq!(world.admin(verify("1005", "407193")).await.unwrap(), wrong, "locked");
    world.session("1005", "904826").await;
    world.now += 5 * MINUTE;
    assert_eq!(world.admin(verify("1005", "407193")).await.unwrap(), right);

    let actor = world.actor("1002", "83517294").await;
    let reset = world.ask(&actor, Action::ResetVoicemailPin { extension: ext("1005") }).await;
    let Reply::TemporaryPin { pin: made, .. } = reset else { panic!("{reset:?}") };
    assert_eq!(made.digits().len(), 6);
    assert_eq!(world.admin(verify("1005", "407193")).await.unwrap(), wrong);
    assert_eq!(world.admin(verify("1005", made.digits())).await.unwrap(), right);
    world.now += 24 * HOUR;
    assert_eq!(world.admin(verify("1005", made.digits())).await.unwrap(), wrong, "no longer good");
}

#[tokio::test]
async fn what_is_so_already_is_no_change() {
    let world = World::new().await;
    let (extension, role) = (ext("1004"), Role::SupportTechnician);
    for same in [
        Admin::SetEnabled { extension: extension.clone(), enabled: true },
        Admin::AssignRole { role, extension: extension.clone() },
        Admin::RemoveRole { role: Role::PhoneAdministrator, extension: extension.clone() },
    ] {
        assert_eq!(world.admin(same).await.unwrap(), AdminReply::Unchanged);
    }
    let unknown = world.admin(Admin::Unlock { extension: ext("4711") }).await;
    assert!(matches!(unknown, Err(AdminError::UnknownExtension(_))));
    assert_eq!(world.store.changes(None, None).await.unwrap().len(), 19);
}

#[tokio::test]
async fn recordings_by_the_shell() {
    let world = World::new().await;
    let number = RecordingNumber(9);
    let add = |audio| Admin::AddRecording { number, name: "lunch".into(), audio };
    world.admin(add(None)).await.unwrap();
    assert_eq!(world.store.recording(number).await.unwrap().version, None);
    assert_eq!(world.ask(&Actor::Shell, Action::ListenRecording { number }).await, Reply::Audio(None));
    assert!(matches!(world.admin(add(None)).await, Err(AdminError::RecordingTaken(_))));
    world.admin(Admin::ImportRecording { number, audio: tone(60) }).await.unwrap();
    world.admin(Admin::ImportRecording { number, audio: tone(61) }).await.unwrap();
    world.admin(Admin::RestoreRecording { number, to: VersionWanted::Number(1) }).await.unwrap();
    let row = world.store.recording(number).await.unwrap();
    assert_eq!((row.version, row.factory, row.duration_ms), (Some(1), false, Some(100)));
    let factory = world.admin(Admin::RestoreRecording { number, to: VersionWanted::Factory }).await;
    assert!(matches!(factory, Err(AdminError::NoSuchVersion(_))));
    let nought = Admin::AddRecording { number: RecordingNumber(0), name: "x".into(), audio: None };
    assert!(matches!(world.admin(nought).await, Err(AdminError::BadRecordingNumber)));
    let unnamed = Admin::AddRecording { number: RecordingNumber(10), name: String::new(), audio: None };
    assert!(matches!(world.admin(unnamed).await, Err(AdminError::BadName("name"))));
}

#[tokio::test]
async fn nobody_gets_a_role_with_a_short_pin() {
    let world = World::new().await;
    let (role, extension) = (Role::SupportTechnician, ext("1005"));
    let assign = || Admin::AssignRole { role, extension: extension.clone() };
    let error = world.admin(assign()).await.err().unwrap();
    assert!(error.to_string().starts_with("1005 has a PIN shorter than 8 digits: set a longer one first"), "{error}");
    let set = |digits, temporary| Admin::SetPin { extension: extension.clone(), pin: pin(digits), temporary };
    world.admin(set("736195", true)).await.unwrap();
    assert!(world.admin(assign()).await.is_err(), "a temporary one of six digits is no better");
    assert!(world.store.role_holders(world.store.site()).await.unwrap()[4].holders == ["1004"]);
    world.admin(set("73928164", false)).await.unwrap();
    assert!(matches!(world.admin(assign()).await.unwrap(), AdminReply::Changed(_)));
    world.admin(user("1042")).await.unwrap();
    let made = Admin::AssignRole { role, extension: ext("1042") };
    assert!(matches!(world.admin(made).await.unwrap(), AdminReply::Changed(_)), "a made PIN has eight digits");
}
