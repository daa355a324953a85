//! How deep the stack of a node is: what the program takes, and on top of that what its interrupts take. The runtime
//! paints the stack before the program begins, and what is not painted any more was used.
//!
//! A word that a function sets aside and never writes is still painted. Where that is the lowest one, the stack was
//! deeper than it looks, by as much.

use std::fs;
use std::time::Duration;

use alertbus::AlertDraft;
use alertbus::driver::bench::Stimulus;
use alertbus::message::kind::{ConvoyIed, CramEngagement, DroneSighting};
use alertbus::message::{Body, Epoch, EventKey, Order, Phase};
use object::{Object, ObjectSymbol};

use crate::budget::Row;
use crate::debugger::{Debugger, Register};
use crate::link::launch;
use crate::site::{Program, Site};

const PAINT: u8 = 0xcc;

/// What the processor puts on the stack for an interrupt, and what it skips where the stack is not aligned to 8 bytes.
const EXCEPTION_LEN: u32 = 32 + 4;

/// More than any handler takes.
const HANDLER_LEN_MAX: u32 = 1_024;

/// Until the first report is out; then while everything happens that can happen to a node; and each with what two
/// interrupts take, the one that looks at the pins and another, which may come in the midst of it.
pub(crate) fn rows() -> Vec<Row> {
    let bytes = fs::read(Program::StillNode.image()).unwrap();
    let image = Image(object::File::parse(&*bytes).unwrap());
    let mut site = Site::with(Program::StillNode, "stack", 51);
    // The processor is so fast, and the clock so slow, that a tick hardly ever comes while the program is at work; and
    // where it has nothing to do, the next one comes at once.
    let mut debugger = site.start_with_debugger(&["-icount", "shift=0,sleep=off"].map(String::from));
    site.until("a report", |site| !site.desk.reports.is_empty());
    debugger.stop();
    let start = image.depth(&mut debugger);
    let pointer = debugger.register(Register::StackPointer);
    debugger.fill(image.end(), pointer - image.end(), PAINT);
    debugger.go_on();
    do_everything(&mut site);
    debugger.stop();
    let running = image.depth(&mut debugger);
    site.power_off();
    assert!(site.desk.reports.iter().all(|report| report.boot == 1), "it was reset");
    let interrupts = interrupts(&image, &mut site);
    vec![
        ("node-stack-start-bytes".into(), (start + interrupts).into()),
        ("node-stack-running-bytes".into(), (running + interrupts).into()),
        ("node-stack-of-interrupts-bytes".into(), interrupts.into()),
    ]
}

/// Everything that a node does. What is told to it comes one after the other, so that no interrupt of a line falls in
/// the midst of what the last one asked for.
fn do_everything(site: &mut Site) {
    // More than it has room for, while nobody answers; the rest it counts.
    site.is_gateway_dead = true;
    for number in 1..=40 {
        tell(site, &launch(number));
    }
    // Its minutes pass while it has nothing to do: then it has taken all of them, however slow the host is.
    let missed = site.reports_missed;
    site.until("two reports", |site| site.reports_missed >= missed + 2);
    site.is_gateway_dead = false;
    let is_summary =
        |site: &Site| site.desk.delivered.iter().any(|alert| is_summary(alert.alert.unwrap().body));
    site.until("a summary", is_summary);
    let bodies: [Body; 3] =
        [CramEngagement::default().into(), DroneSighting::default().into(), ConvoyIed::default().into()];
    for (key, body) in (1..).zip(bodies) {
        for phase in [Phase::Onset, Phase::Update, Phase::Clear] {
            let draft = AlertDraft { key: Some(EventKey(key)), ..AlertDraft::new(body) };
            let count = site.desk.delivered.len();
            tell(site, &Stimulus::Sighting { phase, draft });
            site.until("an alert more", |site| site.desk.delivered.len() > count);
        }
    }
    // Through the journal's pages more than once.
    for number in 0..60 {
        let count = site.desk.delivered.len();
        tell(site, &launch(100 + number));
        site.until("an alert more", |site| site.desk.delivered.len() > count);
    }
    let epoch = Epoch(site.desk.epoch().0 + 1);
    for order in [Order::Test { duration_s: 1 }, Order::NextEpoch(epoch)] {
        let id = site.desk.command(order);
        site.until("an answer", |site| site.desk.result(id).is_some());
    }
    let reports = site.desk.reports.len();
    site.until("two reports", |site| site.desk.reports.len() >= reports + 2);
}

fn tell(site: &mut Site, stimulus: &Stimulus) {
    site.stimulate(stimulus);
    site.go_on(Duration::from_millis(4));
}

const fn is_summary(body: Body) -> bool {
    matches!(body, Body::Summary(_))
}

/// What the interrupt takes that looks at the pins, one of the others in its midst, and both exceptions.
fn interrupts(image: &Image<'_>, site: &mut Site) -> u32 {
    let mut debugger = site.power_on_with_debugger();
    site.until("a report of the second start", |site| {
        site.desk.reports.last().is_some_and(|last| last.boot == 2)
    });
    // An edge, so that there is something to see at the last of the looks: when it has held for 20 ticks.
    site.stimulate(&Stimulus::Pin { pin: 0, high: false });
    // It is at the node when the debugger is.
    site.go_on(Duration::from_millis(100));
    debugger.stop();
    let look = (0..24).map(|_| handler(image, &mut debugger, "PendSV")).max().unwrap();
    let tick = handler_until(image, &mut debugger, "SysTick", Some("PendSV"));
    // Each byte to the bench is an interrupt, and so is what the node says of it.
    site.stimulate(&launch(1));
    let receive = handler(image, &mut debugger, "uart_1_receive");
    let transmit = handler(image, &mut debugger, "uart_0_transmit");
    debugger.go_on();
    2 * EXCEPTION_LEN + look + tick.max(receive).max(transmit)
}

/// What a handler takes of the stack when it runs next.
fn handler(image: &Image<'_>, debugger: &mut Debugger, name: &str) -> u32 {
    handler_until(image, debugger, name, None)
}

/// As [`handler`], where another handler comes behind this one before the program goes on.
fn handler_until(image: &Image<'_>, debugger: &mut Debugger, name: &str, next: Option<&str>) -> u32 {
    debugger.run_to(image.function(name));
    let pointer = debugger.register(Register::StackPointer);
    debugger.fill(pointer - HANDLER_LEN_MAX, HANDLER_LEN_MAX, PAINT);
    // The processor has put there where it goes on, as the seventh of eight words.
    let place = debugger.read(pointer + 24, 4);
    let place = u32::from_le_bytes(place.try_into().unwrap());
    debugger.run_to(next.map_or(place, |next| image.function(next)));
    used(&debugger.read(pointer - HANDLER_LEN_MAX, HANDLER_LEN_MAX))
}

/// How many bytes are used of a piece of the stack, from its upper end.
fn used(stack: &[u8]) -> u32 {
    let painted = stack.iter().take_while(|byte| **byte == PAINT).count();
    u32::try_from(stack.len() - painted / 4 * 4).unwrap()
}

/// What the guest runs.
pub(crate) struct Image<'b>(pub(crate) object::File<'b>);

impl Image<'_> {
    /// How many bytes of the stack were used since it was painted.
    pub(crate) fn depth(&self, debugger: &mut Debugger) -> u32 {
        let depth = used(&debugger.read(self.end(), self.room()));
        assert!(depth > 0 && depth < self.room(), "the stack is not painted");
        depth
    }

    /// How many bytes it has.
    pub(crate) fn room(&self) -> u32 {
        self.start() - self.end()
    }

    fn start(&self) -> u32 {
        self.address(|name| name == "_stack_start")
    }

    fn end(&self) -> u32 {
        self.address(|name| name == "_stack_end")
    }

    /// A function, by its name without its path.
    pub(crate) fn function(&self, name: &str) -> u32 {
        let mangled = format!("{}{name}17h", name.len());
        self.address(|symbol| symbol == name || symbol.contains(&mangled))
    }

    fn address(&self, is_it: impl Fn(&str) -> bool) -> u32 {
        let symbol = self.0.symbols().find(|symbol| symbol.name().is_ok_and(&is_it));
        u32::try_from(symbol.expect("the image has it").address()).unwrap()
    }
}
