//! Keeps a PNG file and panels up to date with the daemon's state and the clock.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pulsewing_core::cycle::Now;
use pulsewing_screen::pair;

use crate::{
    config::wearer::{WearerConfig, WearerId},
    daemon::{Member, Members, Notice, Snapshot},
    engine::clock::Clock,
    faces::outputs::{Outputs, Style, View},
    tell::{console::Console, problem::Problem},
};

/// Makes the style of a wearer's pictures.
pub(crate) type StyleOf = Box<dyn Fn(&WearerConfig) -> Style>;

/// Shows the current state of one or two wearers on the requested outputs.
pub(crate) struct Presenter {
    members: Members,
    /// The wearers to show; if empty, the first two.
    chosen: Vec<WearerId>,
    outputs: Outputs,
    style_of: StyleOf,
    styles: BTreeMap<WearerId, Style>,
    /// The page's address for another machine's browser.
    address: Option<String>,
    clock: Clock,
    console: Console,
    /// The last problem of the picture, and of the backlights, that was reported.
    told: [Option<String>; 2],
    /// What the outputs show, if they show it.
    shown: Option<Shown>,
}

/// What a picture was made from. Many wearers change often, but a picture shows only two.
struct Shown {
    minute: i64,
    wearers: usize,
    snapshots: Vec<Arc<Snapshot>>,
}

impl Shown {
    fn is_same(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.snapshots, &other.snapshots);
        self.minute == other.minute
            && self.wearers == other.wearers
            && ours.len() == theirs.len()
            && ours
                .iter()
                .zip(theirs)
                .all(|(one, other)| Arc::ptr_eq(one, other))
    }
}

impl Presenter {
    /// Builds a presenter; nothing is shown before [`run`](Self::run).
    pub(crate) fn new(
        members: Members,
        chosen: Vec<WearerId>,
        outputs: Outputs,
        style_of: StyleOf,
        clock: Clock,
        console: Console,
    ) -> Self {
        Self {
            members,
            chosen,
            outputs,
            style_of,
            styles: BTreeMap::new(),
            address: None,
            clock,
            console,
            told: [None, None],
            shown: None,
        }
    }

    /// Names the page's address for another machine's browser, where somebody can sign in.
    pub(crate) fn reachable_at(self, address: Option<String>) -> Self {
        Self { address, ..self }
    }

    /// Shows every change, and updates the ages every minute. Never returns.
    pub(crate) async fn run(mut self) {
        let mut changes = self.members.any_change().subscribe();
        loop {
            changes.borrow_and_update();
            let now = self.clock.now();
            let [picture, light] = self.show(now);
            let console = self.console;
            for (told, result) in self.told.iter_mut().zip([picture, light]) {
                match result {
                    Ok(()) => *told = None,
                    // A panel that was unplugged may come back; a full disk may get space again.
                    Err(problem) => {
                        let words = problem.to_string();
                        if told.as_ref() != Some(&words) {
                            console.problem(&problem);
                            *told = Some(words);
                        }
                    }
                }
            }
            let minute =
                Duration::from_secs(60 - now.utc.as_second().rem_euclid(60).unsigned_abs());
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = self.clock.sleep_until(now.up + minute) => {}
            }
        }
    }

    /// Shows the picture, and sets the backlights before that: neither depends on the other. Returns
    /// the results in this order.
    fn show(&mut self, now: Now) -> [Result<(), Problem>; 2] {
        let all = self.members.all();
        let shown: Vec<&Member> = match self.chosen.as_slice() {
            [] => all.iter().take(2).collect(),
            chosen => chosen
                .iter()
                .filter_map(|id| all.iter().find(|member| member.wearer.id == *id))
                .take(2)
                .collect(),
        };
        let Some(first) = shown.first() else {
            return [Ok(()), Ok(())];
        };
        for member in &shown {
            let style = || (self.style_of)(&member.wearer);
            self.styles
                .entry(member.wearer.id.clone())
                .or_insert_with(style);
        }
        let addresses: Vec<Option<String>> = shown
            .iter()
            .map(|member| sign_in_address(self.address.as_deref(), member, all.len()))
            .collect();
        let snapshots: Vec<_> = shown
            .iter()
            .map(|member| member.broadcast.snapshot())
            .collect();
        let notices: Vec<Notice<'_>> = snapshots
            .iter()
            .zip(&addresses)
            .zip(&shown)
            .map(|((snapshot, address), member)| {
                let notice = Notice::new(snapshot, address.as_deref(), now.utc);
                match all.len() {
                    1 => notice,
                    _ => notice.for_wearer(&member.wearer.id),
                }
            })
            .collect();
        let views: Vec<View<'_>> = snapshots
            .iter()
            .zip(&notices)
            .map(|(snapshot, notice)| View::of_daemon(snapshot, notice, now))
            .collect();
        let must_be_seen = notices.iter().any(Notice::needs_a_person);
        let lit = match (self.styles.get(&first.wearer.id), views.first()) {
            (Some(style), Some(view)) => {
                let brightness = style.brightness(view, must_be_seen);
                self.outputs.set_brightness(brightness)
            }
            _ => Ok(()),
        };
        let to_show = Shown {
            minute: now.utc.as_second().div_euclid(60),
            wearers: all.len(),
            snapshots: snapshots.clone(),
        };
        let is_shown = |shown: Shown| shown.is_same(&to_show);
        if self.shown.take().is_some_and(is_shown) {
            self.shown = Some(to_show);
            return [Ok(()), lit];
        }
        let styles = &mut self.styles;
        let drawn = self.outputs.show(now.up, |size| {
            if let ([one, two], [of_one, of_two]) = (shown.as_slice(), views.as_slice())
                && pair::has_room(size)
                && let (Some(style_one), Some(style_two)) =
                    (styles.get(&one.wearer.id), styles.get(&two.wearer.id))
            {
                let names = [one, two].map(|member| name_on_screen(&member.wearer));
                let [first, second] = names;
                return Style::picture_of_two(
                    [(first, style_one, of_one), (second, style_two, of_two)],
                    size,
                );
            }
            match (styles.get_mut(&first.wearer.id), views.first()) {
                (Some(style), Some(view)) => style.picture(view, size),
                // The style was made above.
                _ => Err(pulsewing_panels::PictureError::Size),
            }
        });
        if drawn.is_ok() {
            self.shown = Some(to_show);
        }
        [drawn, lit]
    }
}

/// Returns the address where a wearer can sign in.
fn sign_in_address(page: Option<&str>, member: &Member, wearers: usize) -> Option<String> {
    let page = page?;
    Some(match wearers {
        1 => format!("{page}/sign-in"),
        _ => format!("{page}/w/{}/sign-in", member.wearer.id),
    })
}

/// Returns the name to show; the id if the screen lacks letters of the name.
fn name_on_screen(wearer: &WearerConfig) -> &str {
    match wearer.title() {
        title if pair::can_write(title) => title,
        _ => wearer.id.as_str(),
    }
}
