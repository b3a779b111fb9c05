// Progress: streaks, minutes by week, the month, badges and the history.

import { useState } from "react";
import { MOODS, PAGE, clock, timeZone, useList, useQuery, words } from "../api";
import type { Mood, Style } from "../api";
import { More, Problem } from "../ui";

interface Sum {
  practices: number;
  minutes: number;
}

interface Practice {
  id: string;
  name: string;
  style: Style;
  startedAt: string;
  seconds: number;
  mood: Mood | null;
  notes: string;
}

interface Data {
  practiceStatistics: {
    total: Sum;
    currentStreak: number;
    longestStreak: number;
    weeks: { monday: string; sum: Sum }[];
    styles: { style: Style; practices: number }[];
  };
  practiceCalendar: { day: string; sum: Sum }[];
  achievements: { id: string; name: string; description: string; badge: string; threshold: number; progress: number; earnedAt: string | null }[];
}

const READ = `query($month: String!, $zone: String!) {
  practiceStatistics(timeZone: $zone) {
    total { practices minutes } currentStreak longestStreak weeks { monday sum { practices minutes } } styles { style practices }
  }
  practiceCalendar(month: $month, timeZone: $zone) { day sum { practices minutes } }
  achievements(timeZone: $zone) { id name description badge threshold progress earnedAt }
}`;
const HISTORY = `query($after: String) {
  practiceHistory(first: 20, after: $after) { nodes { id name style startedAt seconds mood notes } ${PAGE} }
}`;

function Weeks({ weeks }: { weeks: Data["practiceStatistics"]["weeks"] }) {
  const most = Math.max(1, ...weeks.map(({ sum }) => sum.minutes));
  return (
    <ol className="weeks" aria-label="Minutes by week">
      {weeks.map(({ monday, sum }) => (
        <li key={monday} title={`Week of ${monday}: ${sum.minutes} min`}>
          <span className="bar" style={{ height: `${(sum.minutes / most) * 100}%` }} />
          <span className="hidden">
            Week of {monday}: {sum.minutes} minutes
          </span>
        </li>
      ))}
    </ol>
  );
}

function Month({ month, days, onMove }: { month: Date; days: Data["practiceCalendar"]; onMove: (by: number) => void }) {
  const first = (new Date(month.getFullYear(), month.getMonth(), 1).getDay() + 6) % 7;
  const length = new Date(month.getFullYear(), month.getMonth() + 1, 0).getDate();
  const minutes = new Map(days.map(({ day, sum }) => [Number(day.slice(8)), sum.minutes]));
  const title = month.toLocaleDateString("en", { month: "long", year: "numeric" });
  return (
    <section className="card">
      <div className="title">
        <button className="quiet" aria-label="Previous month" onClick={() => onMove(-1)}>
          ‹
        </button>
        <h2>{title}</h2>
        <button className="quiet" aria-label="Next month" onClick={() => onMove(1)}>
          ›
        </button>
      </div>
      <ol className="month" aria-label={`Days of ${title}`}>
        {Array.from({ length }, (_, index) => index + 1).map((day) => (
          <li key={day} className={minutes.has(day) ? "active" : undefined} style={day === 1 ? { gridColumnStart: first + 1 } : undefined}>
            {day}
            {minutes.has(day) && <span className="hidden">: {minutes.get(day)} minutes</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function History() {
  const { list, problem, more, busy } = useList<Practice>(HISTORY, "practiceHistory");
  return (
    <>
      <h2>History</h2>
      <Problem>{problem}</Problem>
      {list?.nodes.length === 0 && <p className="empty">Your practices will be here. Choose a sequence and begin.</p>}
      <ul className="history">
        {list?.nodes.map((practice) => (
          <li key={practice.id} className="card">
            <span className="emoji" aria-hidden="true">
              {practice.mood ? MOODS[practice.mood] : "🧘"}
            </span>
            <span>
              <strong>{practice.name}</strong>
              <span className="sanskrit">
                {new Date(practice.startedAt).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}
                {practice.notes && ` · ${practice.notes}`}
              </span>
            </span>
            <span className="tag">{words(practice.style)}</span>
            <span>{clock(practice.seconds)}</span>
          </li>
        ))}
      </ul>
      <More more={more} busy={busy} />
    </>
  );
}

export function Progress() {
  const [month, setMonth] = useState(() => new Date());
  const name = `${month.getFullYear()}-${String(month.getMonth() + 1).padStart(2, "0")}`;
  const { data, problem } = useQuery<Data>(READ, { month: name, zone: timeZone });
  if (!data) return <Problem>{problem}</Problem>;
  const { practiceStatistics: statistics } = data;
  const figures = [
    [statistics.currentStreak, "days in a row"],
    [statistics.longestStreak, "longest streak"],
    [statistics.total.practices, "practices"],
    [statistics.total.minutes, "minutes"],
  ] as const;
  return (
    <>
      <h1>Your progress</h1>
      <Problem>{problem}</Problem>
      <ul className="numbers">
        {figures.map(([value, label]) => (
          <li key={label} className="card">
            <strong>{value}</strong>
            <span>{label}</span>
          </li>
        ))}
      </ul>
      <div className="columns">
        <section className="card">
          <h2>Minutes by week</h2>
          <Weeks weeks={statistics.weeks} />
          {statistics.styles.length > 0 && (
            <p className="tags">
              {statistics.styles.map(({ style, practices }) => (
                <span key={style} className="tag">
                  {words(style)} {practices}
                </span>
              ))}
            </p>
          )}
        </section>
        <Month
          month={month}
          days={data.practiceCalendar}
          onMove={(by) => setMonth(new Date(month.getFullYear(), month.getMonth() + by, 1))}
        />
      </div>
      <h2>Badges</h2>
      <ul className="badges">
        {data.achievements.map((badge) => (
          <li key={badge.id} className={badge.earnedAt ? "badge earned" : "badge"}>
            <span className="emoji" aria-hidden="true">
              {badge.badge}
            </span>
            <strong>{badge.name}</strong>
            <span>{badge.description}</span>
            {badge.earnedAt ? (
              <span className="count">Earned {new Date(badge.earnedAt).toLocaleDateString("en", { day: "numeric", month: "short" })}</span>
            ) : (
              <progress max={badge.threshold} value={badge.progress} aria-label={`${badge.progress} of ${badge.threshold}`} />
            )}
          </li>
        ))}
      </ul>
      <History />
    </>
  );
}
