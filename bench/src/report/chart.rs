//! Charts as SVG, small enough to read as text. Colours follow the reader's light or dark theme, also where a page shows
//! the file as an image; so the background is part of the chart.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 90.0;
const ROW: f64 = 26.0;
const TOP: f64 = 62.0;
/// Height of the area of a chart of lines.
const AREA: f64 = 240.0;
/// Number of colours below.
const COLOURS: usize = 7;

const STYLE: &str = "svg{--paper:#fff;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--c0:#0969da;--c1:#bc4c00;--c2:#1a7f37;\
--c3:#8250df;--c4:#bf3989;--c5:#9a6700;--c6:#57606a}\
@media(prefers-color-scheme:dark){svg{--paper:#0d1117;--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--c0:#4493f8;\
--c1:#f0883e;--c2:#3fb950;--c3:#ab7df8;--c4:#db61a2;--c5:#d29922;--c6:#8b949e}}\
text{fill:var(--ink);font:13px system-ui,sans-serif}.title{font-weight:600;font-size:15px}.soft{fill:var(--soft);\
font-size:12px}.end{text-anchor:end}.middle{text-anchor:middle}.paper{fill:var(--paper)}.grid{stroke:var(--line)}\
.aim{stroke:var(--ink);stroke-width:2;stroke-dasharray:3 2}polyline{fill:none;stroke-width:2}";

/// A bar with its value and, if there is one, its aim.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) aim: Option<f64>,
}

/// A bar of several parts, in the order of the legend.
pub(super) struct Stack {
    pub(super) label: String,
    pub(super) parts: Vec<f64>,
}

/// A line through points.
pub(super) struct Line {
    pub(super) label: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// How the axes of a chart of lines are drawn.
pub(super) struct Axes<'a> {
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    /// Marks of the horizontal axis.
    pub(super) marks: Vec<f64>,
    /// Whether each step of an axis is a factor.
    pub(super) log_x: bool,
    pub(super) log_y: bool,
}

fn open(title: &str, height: f64) -> String {
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\
         <style>{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"16\" y=\"26\">{title}</text>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn colour(at: usize) -> String {
    format!("var(--c{})", at % COLOURS)
}

/// `class` is one or more class names.
fn text(svg: &mut String, class: &str, (x, y): (f64, f64), words: &str) {
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x:.0}\" y=\"{y:.0}\">{}</text>", escape(words));
}

fn rect(svg: &mut String, (x, y): (f64, f64), width: f64, fill: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"16\" fill=\"{fill}\"/>",
        width.max(0.5)
    );
}

fn line(svg: &mut String, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
}

/// The names of the colours, in a row.
fn legend<'a>(svg: &mut String, names: impl Iterator<Item = &'a str>) {
    let mut x = 16.0;
    for (at, name) in names.enumerate() {
        let _ =
            writeln!(svg, "<rect x=\"{x:.0}\" y=\"38\" width=\"11\" height=\"11\" rx=\"2\" fill=\"{}\"/>", colour(at));
        text(svg, "soft", (x + 16.0, 48.0), name);
        x += 34.0 + name.chars().count() as f64 * 6.8;
    }
}

/// Horizontal bars. A dashed mark is the aim.
pub(super) fn bars(title: &str, note: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value.max(bar.aim.unwrap_or(0.0))).fold(0.0, f64::max).max(1e-9);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    let mut svg = open(title, TOP + ROW * bars.len() as f64 + 12.0);
    text(&mut svg, "soft", (16.0, 46.0), note);
    for (at, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * at as f64;
        text(&mut svg, "end", (LEFT - 10.0, y + 13.0), &bar.label);
        let missed = bar.aim.is_some_and(|aim| bar.value < aim);
        rect(&mut svg, (LEFT, y), bar.value * scale, &colour(usize::from(missed)));
        let mut end = bar.value * scale;
        if let Some(aim) = bar.aim {
            line(&mut svg, "aim", (LEFT + aim * scale, y - 3.0), (LEFT + aim * scale, y + 19.0));
            // The number stands beside its bar, unless the mark is there.
            let aim = aim * scale;
            end = if (end - 8.0..end + 60.0).contains(&aim) { aim } else { end };
        }
        text(&mut svg, "", (LEFT + end + 8.0, y + 13.0), &short(bar.value));
    }
    svg + "</svg>\n"
}

/// Horizontal bars of parts that add up.
pub(super) fn stacks(title: &str, parts: &[&str], stacks: &[Stack]) -> String {
    let total = |stack: &Stack| stack.parts.iter().sum::<f64>();
    let scale = (WIDTH - LEFT - RIGHT) / stacks.iter().map(total).fold(1e-9, f64::max);
    let mut svg = open(title, TOP + ROW * stacks.len() as f64 + 12.0);
    legend(&mut svg, parts.iter().copied());
    for (at, stack) in stacks.iter().enumerate() {
        let y = TOP + ROW * at as f64;
        text(&mut svg, "end", (LEFT - 10.0, y + 13.0), &stack.label);
        let mut x = LEFT;
        for (at, part) in stack.parts.iter().enumerate() {
            rect(&mut svg, (x, y), part * scale, &colour(at));
            x += part * scale;
        }
        text(&mut svg, "", (x + 8.0, y + 13.0), &short(total(stack)));
    }
    svg + "</svg>\n"
}

/// Lines over a common axis. A linear vertical axis begins at zero.
pub(super) fn lines(axes: &Axes<'_>, lines: &[Line]) -> String {
    let bottom = TOP + AREA;
    let mut svg = open(axes.title, bottom + 46.0);
    legend(&mut svg, lines.iter().map(|line| line.label.as_str()));
    let ys: Vec<f64> = lines.iter().flat_map(|line| line.points.iter().map(|(_, y)| *y)).collect();
    let most = ys.iter().copied().fold(0.0, f64::max).max(1e-9);
    let least = ys.iter().copied().fold(f64::INFINITY, f64::min);
    let place = |value: f64, from: f64, to: f64, log: bool| {
        let (value, from, to) = if log { (value.ln(), from.ln(), to.ln()) } else { (value, from, to) };
        (value - from) / (to - from).max(1e-9)
    };
    let grid = if axes.log_y { decades(least, most) } else { steps(most) };
    let (floor, ceiling) = (grid.first().copied().unwrap_or(0.0), grid.last().copied().unwrap_or(most));
    let (first, last) = (axes.marks.first().copied().unwrap_or(0.0), axes.marks.last().copied().unwrap_or(1.0));
    let x = |value: f64| 80.0 + (WIDTH - 80.0 - 30.0) * place(value, first, last, axes.log_x);
    let y = |value: f64| bottom - AREA * place(value, floor, ceiling, axes.log_y);
    for mark in &grid {
        line(&mut svg, "grid", (80.0, y(*mark)), (WIDTH - 30.0, y(*mark)));
        text(&mut svg, "soft end", (72.0, y(*mark) + 4.0), &short(*mark));
    }
    for mark in &axes.marks {
        text(&mut svg, "soft middle", (x(*mark), bottom + 18.0), &short(*mark));
    }
    text(&mut svg, "soft middle", (WIDTH / 2.0, bottom + 36.0), axes.x);
    for (at, one) in lines.iter().enumerate() {
        let points: Vec<_> = one.points.iter().map(|(px, py)| format!("{:.1},{:.1}", x(*px), y(*py))).collect();
        let _ = writeln!(svg, "<polyline stroke=\"{}\" points=\"{}\"/>", colour(at), points.join(" "));
    }
    svg + "</svg>\n"
}

/// Zero and four or five round steps up to a value above the largest.
fn steps(most: f64) -> Vec<f64> {
    let raw = most / 4.0;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|factor| factor * power).find(|step| *step >= raw);
    let step = step.unwrap_or(raw);
    let count = (most / step).ceil() as u32;
    (0..=count.max(1)).map(|at| f64::from(at) * step).collect()
}

/// Powers of ten around all values.
fn decades(least: f64, most: f64) -> Vec<f64> {
    let (first, last) = (least.max(1e-6).log10().floor() as i32, most.log10().ceil() as i32);
    (first..=last.max(first + 1)).map(|power| 10_f64.powi(power)).collect()
}

/// A number with two or three significant digits; thousands have commas.
pub(super) fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        0.0 => 0,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    // Marks such as 2.50 and 20.0 read better without zeros; a measured 0.70 keeps its digits.
    let text = if digits == 1 { text.trim_end_matches(".0").to_owned() } else { text };
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), String::new()), |(a, b)| (a, format!(".{b}")));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_few_digits_and_commas() {
        let numbers = [0.0, 0.7, 2.5, 20.0, 31.26, 143.2, 28_500.0, 1_000_000.0].map(short);
        assert_eq!(numbers, ["0", "0.70", "2.50", "20", "31.3", "143", "28,500", "1,000,000"]);
    }

    #[test]
    fn an_axis_begins_at_zero_and_ends_above_the_largest_value() {
        for most in [0.3, 1.0, 7.0, 28_500.0] {
            let steps = steps(most);
            assert!(steps[0] == 0.0 && steps[steps.len() - 1] >= most && steps.len() <= 6, "{most}: {steps:?}");
        }
    }

    #[test]
    fn a_chart_is_well_formed_whatever_its_labels_say() {
        let label = "a < b & \"c\"".to_owned();
        let bar = bars(&label, &label, &[Bar { label: label.clone(), value: 1.0, aim: Some(2.0) }]);
        let axes = Axes { title: &label, x: "seconds", marks: vec![1.0, 10.0], log_x: true, log_y: true };
        let line = lines(&axes, &[Line { label: label.clone(), points: vec![(1.0, 5.0), (10.0, 50.0)] }]);
        for svg in [bar, line] {
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
            assert!(svg.contains("a &lt; b &amp; &quot;c&quot;") && !svg.contains("a < b") && !svg.contains("NaN"));
        }
    }
}
