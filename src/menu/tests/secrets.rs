//! Of what was keyed, and of a temporary PIN that is told, `Debug` prints no digit, whatever carries it.
//! Without zeros the PINs are no part of the times that are printed too.

use proptest::prelude::*;

use super::*;
use crate::access::Destructive;
use crate::model::{ChangeNumber, Pin};

fn actions(pin: &Pin) -> Vec<Action> {
    let extension = Extension::parse("1005").expect("an extension");
    let (current, new, pin) = (pin.clone(), pin.clone(), pin.clone());
    vec![
        Action::Login { extension: extension.clone(), pin: pin.clone() },
        Action::ReplaceTemporaryPin { new: new.clone() },
        Action::SetOwnVoicemailPin { new: new.clone() },
        Action::SetOwnAccountPin { current, new: new.clone() },
        Action::SetOwnSupportPin { new },
        Action::VerifySupportPin { extension: extension.clone(), pin: pin.clone() },
        Action::Confirm(Destructive::DeleteUser { extension }, pin),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_debug_output_has_a_digit_of_a_pin(digits in "[1-9]{8,16}") {
        let pin = Pin::parse(&digits).expect("a PIN");
        for action in actions(&pin) {
            let printed = format!("{:?} {:#?}", Output::Ask(Ticket(1), action.clone()), action);
            prop_assert!(!printed.contains(&digits) && printed.contains("Pin"), "{}", printed);
        }
        let told = Reply::TemporaryPin { pin, change: ChangeNumber(42) };
        for digit in digits.chars() {
            let input = Input::Key(Key::from_char(digit).expect("a key"));
            prop_assert_eq!(format!("{input:?}"), "Key(Key)");
        }
        let printed = format!("{:?} {told:#?}", Input::Replied(Ticket(1), told.clone()));
        prop_assert!(!printed.contains(&digits), "{}", printed);

        // While it is being keyed, when it was keyed, and when it is told.
        let mut caller = Caller::logged_in("1005");
        caller.dials("1").dials(&digits);
        let printed = format!("{:?}", caller.dialogue);
        prop_assert!(!printed.contains(&digits) && printed.contains("Entry("), "{}", printed);
        caller.dials("#");
        let printed = format!("{:?}", caller.dialogue);
        prop_assert!(!printed.contains(&digits) && printed.contains("PinChange"), "{}", printed);
        let mut caller = Caller::logged_in("1002");
        caller.dials("31005#").finishes_hearing();
        caller.instead.push_back(told);
        caller.dials("1");
        let (ticket, sounds) = caller.playing.clone().expect("it is told");
        let spoken: Vec<String> = digits.chars().map(|digit| format!("digit-{digit}")).collect();
        prop_assert!(line(&sounds).contains(&spoken.join(" ")), "{}", line(&sounds));
        let printed = format!("{:?} {:?}", Output::Play(ticket, sounds), caller.dialogue);
        prop_assert!(!printed.contains("digit-") && !printed.contains(&digits), "{}", printed);
    }
}
