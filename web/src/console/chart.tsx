// A bar chart in plain SVG, with one colour, a title, numbers at its lines, and the same numbers as a table. What a bar
// means never depends on its colour: each chart has one series, and the bar that still grows is hollow.

import { useEffect, useRef, useState } from "preact/hooks";
import { number } from "./format";
import { words } from "./words";

export interface Bar {
  /** What the bar is about, such as an hour. */
  label: string;
  /** The same for the axis, where there is little room. */
  short: string;
  value: number;
  /** Whether its interval is not over yet. */
  grows: boolean;
  href: string;
}

interface Props {
  title: string;
  hint: string;
  kind: "signIns" | "failures" | "refusals";
  /** The unit of the bars, as a heading of the table. */
  unit: string;
  bars: Bar[];
}

const HEIGHT = 132;
const TOP = 8;
const BOTTOM = 22;
const LEFT = 34;

/** A round number of at least `most`, which halves well. */
function ceiling(most: number): number {
  if (most <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= most) ?? most;
}

export function Chart({ title, hint, kind, unit, bars }: Props) {
  const t = words().chart;
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [pointed, setPointed] = useState<number | null>(null);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)));
    if (frame.current) watcher.observe(frame.current);
    return () => watcher.disconnect();
  }, []);
  const total = bars.reduce((sum, { value }) => sum + value, 0);
  const peak = bars.reduce<Bar | null>((best, bar) => (bar.value > (best?.value ?? 0) ? bar : best), null);
  const shown = pointed === null ? null : bars[pointed];
  return (
    <figure class="chart frame">
      <figcaption>
        <h2>{title}</h2>
        <p class="total">{number(total)}</p>
        <p class="hint">{shown ? t.point(shown.label, number(shown.value)) : hint}</p>
      </figcaption>
      <div ref={frame} class="plot">
        {width > 0 && (
          <Plot bars={bars} kind={kind} width={width} pointed={pointed} onPoint={setPointed} label={peak ? t.summary(title, number(total), peak.label, number(peak.value)) : t.empty(title)} />
        )}
      </div>
      <details class="more">
        <summary>{t.table}</summary>
        <div class="chart-table" tabIndex={0} role="region" aria-label={title}>
          <table class="table">
            <caption class="sr-only">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{unit}</th>
                <th scope="col" class="figure">{t.number}</th>
              </tr>
            </thead>
            <tbody>
              {[...bars].reverse().map((bar) => (
                <tr key={bar.label}>
                  <th scope="row">
                    <a href={bar.href}>{bar.label}</a> {bar.grows && <span class="hint">{t.soFar}</span>}
                  </th>
                  <td class="figure">{number(bar.value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

interface PlotProps {
  bars: Bar[];
  kind: Props["kind"];
  width: number;
  pointed: number | null;
  onPoint: (index: number | null) => void;
  label: string;
}

function Plot({ bars, kind, width, pointed, onPoint, label }: PlotProps) {
  const top = ceiling(Math.max(...bars.map(({ value }) => value), 0));
  const plotted = HEIGHT - TOP - BOTTOM;
  const step = (width - LEFT) / Math.max(1, bars.length);
  const y = (value: number) => TOP + plotted * (1 - value / top);
  const gap = step > 6 ? 2 : step > 3 ? 1 : 0.5;
  // A label for each 64 pixels, at most.
  const every = Math.max(1, Math.ceil(64 / step));
  return (
    <svg class={kind} role="img" aria-label={label} width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} onMouseLeave={() => onPoint(null)}>
      {[0, top / 2, top].map((value) => (
        <g key={value}>
          <line class="grid" x1={LEFT} x2={width} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 6} y={y(value) + 4} text-anchor="end">
            {number(value)}
          </text>
        </g>
      ))}
      {bars.map((bar, index) => {
        const x = LEFT + index * step;
        // Even a single event is visible.
        const height = bar.value === 0 ? 0 : Math.max(2, plotted * (bar.value / top));
        return (
          <g key={bar.label} class={pointed === index ? "pointed" : undefined} onMouseEnter={() => onPoint(index)} onClick={() => (location.hash = bar.href)}>
            <rect class="area" x={x} y={TOP} width={step} height={plotted} />
            {height > 0 && (
              <rect class={bar.grows ? "bar grows" : "bar"} x={x + gap / 2} y={TOP + plotted - height} width={Math.max(1, step - gap)} height={height} rx={Math.min(2, step / 4)} />
            )}
            {index % every === 0 && (
              <text x={x + step / 2} y={HEIGHT - 6} text-anchor="middle">
                {bar.short}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}
