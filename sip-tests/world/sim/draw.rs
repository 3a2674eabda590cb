//! A world from a seed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use switchhook::call::CallLimits;
use switchhook::media::recorder::RecordLimits;
use switchhook::menu::Limits;
use switchhook::model::Mono;
use switchhook::sip::{ConnectionId, Endpoint, EndpointConfig};
use switchhook::wire::g711::Law;

use super::handset::KeyWay;
use super::ledger::Ledger;
use super::link::{Link, Quality};
use super::phone::{Meeting, Phone, Traits};
use super::random::Random;
use super::rivals::Rivalry;
use super::script::{Person, Script};
use super::{Event, Fault, Seen, Site, Story, World};

impl World {
    /// Draws a world: one in four has one caller, good links and no faults, and the caller gets what was wanted.
    pub fn draw(seed: u64, story: Story) -> Self {
        let mut random = Random::new(seed);
        let is_clean = seed.is_multiple_of(4);
        let call_max = if is_clean { 1800 } else { random.pick(&[60, 120, 240, 240, 240]) };
        let mut world = Self::empty(random.fork(), story, is_clean, Duration::from_secs(call_max));
        let count = if is_clean { 1 } else { random.between(1, 3) };
        for number in 0..count as usize {
            let starts = Mono(random.below(if number == 0 { 100 } else { 30_000 }) * 1000);
            let site = draw_site(&mut random, number, starts, is_clean);
            let closes = site.phone.signals.is_reliable && !is_clean && random.percent(25);
            world.phones.push(site);
            world.at(starts, Event::Tick(number));
            if closes {
                let after = Duration::from_millis(random.between(1000, 40_000));
                world.at(starts + after, Event::Close(number));
            }
        }
        world.at(Mono(0), Event::Work);
        if !is_clean {
            world.draw_faults(&mut random);
        }
        world
    }

    /// One caller who keeps pressing a key, with the standard limits.
    pub fn with_one_who_stays(seed: u64, story: Story) -> Self {
        let mut random = Random::new(seed);
        let mut world = Self::empty(random.fork(), story, false, Duration::from_secs(1800));
        let mut site = draw_site(&mut random, 0, Mono(0), true);
        site.phone.stays_for_ever();
        world.phones.push(site);
        world.at(Mono(0), Event::Tick(0));
        world
    }

    /// Two rivals over good links, patient callers both; the rivalry says what they do.
    pub fn of_rivals(rivalry: &'static Rivalry, seed: u64, story: Story) -> Self {
        let mut random = Random::new(seed);
        let mut world = Self::empty(random.fork(), story, true, Duration::from_secs(1800));
        (rivalry.before)(&mut world.store);
        let meeting = Meeting::default();
        for (number, rival) in rivalry.callers.iter().enumerate() {
            let starts = Mono(random.below(1500) * 1000);
            let traits = draw_traits(&mut random, true);
            let mut script = Script::new(Person::of(rival.extension), traits.first_question());
            (rival.does)(&mut script, &mut random);
            let mut site = draw_links(&mut random, number, starts, true, (traits, script));
            site.phone.meeting = Some(meeting.clone());
            world.phones.push(site);
            world.at(starts, Event::Tick(number));
        }
        world.rivalry = Some(rivalry);
        world.at(Mono(0), Event::Work);
        world
    }

    fn empty(mut random: Random, story: Story, is_clean: bool, call_max: Duration) -> Self {
        let record = RecordLimits { silence: Duration::from_secs(4), length: Duration::from_secs(30) };
        let menu = Limits { call_max, ..Limits::default() };
        let limits = CallLimits { menu, record, rtp_silence: Duration::from_secs(60) };
        let mut key = [0; 32];
        key.fill_with(|| random.next() as u8);
        let store = Ledger::new(random.fork());
        let is_slow = random.percent(30);
        let refusals = if random.percent(50) { random.below(80) } else { 0 };
        Self {
            is_clean,
            rivalry: None,
            applied: Vec::new(),
            seen: Seen::default(),
            now: Mono(0),
            random,
            story,
            events: BTreeMap::new(),
            next_event: 0,
            endpoint: Endpoint::new(
                EndpointConfig {
                    trusted: vec!["0.0.0.0/0".parse().expect("a prefix")],
                    ..EndpointConfig::new(vec!["7000".into()])
                },
                key,
            ),
            limits: Arc::new(limits),
            calls: HashMap::new(),
            dialogs: HashMap::new(),
            next_call: 1,
            running: BTreeMap::new(),
            inboxes: HashMap::new(),
            phones: Vec::new(),
            store,
            refusals,
            is_slow,
            commands_at: Mono(0),
            orders_at: Mono(0),
            audits: HashMap::new(),
            infos_delivered: HashMap::new(),
            info_press: None,
            byes_due: Vec::new(),
            byes_sent: HashMap::new(),
            byes_answered: BTreeSet::new(),
            closed: BTreeSet::new(),
        }
    }

    fn draw_faults(&mut self, random: &mut Random) {
        if random.percent(40) {
            let at = Mono(random.between(3000, 60_000) * 1000);
            // Most often it is one who is calling.
            let who = self.phones[random.below(self.phones.len() as u64) as usize].phone.person.extension;
            let fault = random.pick(&[Fault::RolesGone(who), Fault::RolesGone(who), Fault::Disabled(who)]);
            self.at(at, Event::Fault(fault));
            if matches!(fault, Fault::Disabled(_)) && random.percent(50) {
                let later = at + Duration::from_millis(random.between(1000, 20_000));
                self.at(later, Event::Fault(Fault::Enabled(who)));
            }
        }
    }
}

fn draw_site(random: &mut Random, number: usize, starts: Mono, is_clean: bool) -> Site {
    let traits = draw_traits(random, is_clean);
    let person = Person::draw(random);
    let script = Script::draw(random, person, traits.first_question());
    draw_links(random, number, starts, is_clean, (traits, script))
}

fn draw_links(
    random: &mut Random,
    number: usize,
    starts: Mono,
    is_clean: bool,
    (traits, script): (Traits, Script),
) -> Site {
    let mut phone = Phone::new(number, starts, traits, script, random);
    let in_band = phone.traits.way == KeyWay::InBand;
    // Tones that packets are missing of are not the same tones: they are told only over good links.
    phone.handset.sends_silence |= in_band;
    let good = is_clean || random.percent(15);
    let quality = |random: &mut Random, good: bool| if good { Quality::good(random) } else { Quality::bad(random) };
    let reliable = phone.signals.is_reliable;
    let mut link = |good: bool| Link::new(quality(random, good), random.fork());
    Site {
        address: std::net::SocketAddr::new(phone.rtp.ip(), 5060),
        connection: ConnectionId(number as u64 + 1),
        sip_up: link(good || reliable),
        sip_down: link(good || reliable),
        rtp_up: link(good || in_band),
        rtp_down: link(good),
        inbox: Vec::new(),
        is_asleep: false,
        phone,
    }
}

fn draw_traits(random: &mut Random, is_clean: bool) -> Traits {
    let way = random.pick(&[KeyWay::Events, KeyWay::Events, KeyWay::Events, KeyWay::Info, KeyWay::InBand]);
    let event_type = (way == KeyWay::Events).then(|| random.pick(&[96, 97, 100, 101, 101, 127]));
    let laws: &'static [Law] =
        random.pick(&[&[Law::Mu, Law::A][..], &[Law::A, Law::Mu][..], &[Law::A][..], &[Law::Mu][..]]);
    let rough = |random: &mut Random, percent: u64| !is_clean && random.percent(percent);
    let cut = rough(random, 35).then(|| {
        let ms = if random.percent(20) { random.between(1, 3000) } else { random.between(3000, 60_000) };
        (Duration::from_millis(ms), random.percent(30))
    });
    Traits {
        way,
        laws,
        event_type,
        offers: !random.percent(15),
        acknowledges: !rough(random, 3),
        is_behind_nat: rough(random, 12),
        names_itself: random.percent(50),
        dials: if rough(random, 2) { "7001" } else { "7000" },
        is_reliable: random.percent(20),
        cancels_after: rough(random, 5).then(|| Duration::from_millis(random.below(600))),
        cut_after: cut,
        is_patient: is_clean || random.percent(60),
    }
}
