// Practises a sequence with a timer, and finishes it.

import { useEffect, useRef, useState } from "react";
import { MOODS, POSE, clock, run, timeZone, useAction, useQuery, words } from "../api";
import type { Mood, Step } from "../api";
import { Figure } from "../figure";
import { Problem } from "../ui";

const READ = `query($id: ID!) { sequence(id: $id) { id name poses { seconds notes pose { ${POSE} instructions } } } }`;
const START = "mutation($id: ID!) { startPractice(sequenceId: $id) { practice { id } } }";
const FINISH = `mutation($input: FinishPracticeInput!) { finishPractice(input: $input) {
  ... on PracticeFinished { practice { id } earned { id name badge description } } ... on YogaProblem { message } } }`;

interface Badge {
  id: string;
  name: string;
  badge: string;
  description: string;
}

const TICK = 250;
const CIRCLE = 2 * Math.PI * 46;

function Timer({ steps, onEnd }: { steps: Step[]; onEnd: (seconds: number) => void }) {
  const [index, setIndex] = useState(0);
  const [elapsed, setElapsed] = useState(0);
  const [isRunning, setRunning] = useState(true);
  const total = useRef(0);
  const step = steps[index];

  // Measures time instead of counting ticks, because browsers slow down timers of hidden tabs.
  useEffect(() => {
    if (!isRunning) return;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const passed = (now - last) / 1000;
      last = now;
      total.current += passed;
      setElapsed((old) => old + passed);
    }, TICK);
    return () => clearInterval(timer);
  }, [isRunning]);

  function go(next: number) {
    if (next >= steps.length) onEnd(Math.round(total.current));
    else {
      setIndex(Math.max(0, next));
      setElapsed(0);
    }
  }
  useEffect(() => {
    if (elapsed >= step.seconds) go(index + 1);
  });

  const left = Math.max(0, Math.ceil(step.seconds - elapsed));
  const next = steps[index + 1]?.pose.name;
  return (
    <section className="timer" aria-label="Timer">
      <div className="dial">
        <svg viewBox="0 0 100 100" aria-hidden="true">
          <circle className="track" cx="50" cy="50" r="46" />
          <circle
            className="done"
            cx="50"
            cy="50"
            r="46"
            strokeDasharray={CIRCLE}
            strokeDashoffset={CIRCLE * (1 - Math.min(1, elapsed / step.seconds))}
          />
        </svg>
        <Figure category={step.pose.category} />
      </div>
      <h1 aria-live="polite">{step.pose.name}</h1>
      <p className="sanskrit">{step.pose.sanskritName}</p>
      <p className="left" role="timer">
        {clock(left)}
      </p>
      <ol className="steps">
        {step.pose.instructions.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ol>
      {step.notes && <p>{step.notes}</p>}
      <p className="actions">
        <button className="quiet" disabled={index === 0} onClick={() => go(index - 1)}>
          Back
        </button>
        <button onClick={() => setRunning(!isRunning)}>{isRunning ? "Pause" : "Continue"}</button>
        <button className="quiet" onClick={() => go(index + 1)}>
          {next ? "Skip" : "Finish"}
        </button>
      </p>
      <p className="count">
        {index + 1} of {steps.length}
        {next && `. Next: ${next}`}
      </p>
      <button className="quiet end" onClick={() => onEnd(Math.round(total.current))}>
        End the practice
      </button>
    </section>
  );
}

function Ending({ practice, seconds, name }: { practice: string; seconds: number; name: string }) {
  const [mood, setMood] = useState<Mood>();
  const [notes, setNotes] = useState("");
  const [problem, setProblem] = useState<string>();
  const [earned, setEarned] = useState<Badge[]>();

  const { busy, act: save } = useAction(async () => {
    const input = { practiceId: practice, seconds, mood, notes, timeZone };
    const saved = await run<{ finishPractice: { earned?: Badge[]; message?: string } }>(FINISH, { input });
    setProblem(saved.problem ?? saved.data?.finishPractice.message);
    setEarned(saved.data?.finishPractice.earned);
  });

  if (earned) {
    return (
      <section className="timer">
        <h1>{earned.length > 0 ? "You earned something" : "Well done"}</h1>
        <p>
          {name}, {clock(seconds)}
        </p>
        <ul className="badges">
          {earned.map((badge) => (
            <li key={badge.id} className="badge earned">
              <span className="emoji">{badge.badge}</span>
              <strong>{badge.name}</strong>
              <span>{badge.description}</span>
            </li>
          ))}
        </ul>
        <p className="actions">
          <a className="button" href="#/progress">
            See your progress
          </a>
          <a className="quiet button" href="#/">
            Practise more
          </a>
        </p>
      </section>
    );
  }
  return (
    <form className="timer" onSubmit={(event) => (event.preventDefault(), save())}>
      <h1>How do you feel?</h1>
      <p>
        {name}, {clock(seconds)}
      </p>
      <div className="moods" role="group" aria-label="Mood">
        {(Object.keys(MOODS) as Mood[]).map((value) => (
          <button key={value} type="button" className="quiet" aria-pressed={mood === value} onClick={() => setMood(value)}>
            <span className="emoji" aria-hidden="true">
              {MOODS[value]}
            </span>
            {words(value)}
          </button>
        ))}
      </div>
      <label className="choice">
        <span>Notes</span>
        <textarea rows={3} maxLength={1000} value={notes} onChange={(event) => setNotes(event.target.value)} />
      </label>
      <Problem>{problem}</Problem>
      <p className="actions">
        <button disabled={busy}>Save the practice</button>
        <a className="quiet button" href="#/">
          Discard it
        </a>
      </p>
    </form>
  );
}

export function PracticePage({ id }: { id: string }) {
  const { data, problem } = useQuery<{ sequence: { name: string; poses: Step[] } }>(READ, { id });
  const [practice, setPractice] = useState<string>();
  const [failed, setFailed] = useState<string>();
  const [seconds, setSeconds] = useState<number>();

  const { busy, act: start } = useAction(async () => {
    const started = await run<{ startPractice: { practice: { id: string } } }>(START, { id });
    setFailed(started.problem);
    setPractice(started.data?.startPractice.practice.id);
  });

  const sequence = data?.sequence;
  return (
    <main className="practice">
      <a className="quiet button leave" href="#/">
        Leave
      </a>
      <Problem>{failed ?? problem}</Problem>
      {sequence && !practice && (
        <section className="timer">
          <h1>{sequence.name}</h1>
          <ol className="overview">
            {sequence.poses.map(({ pose, seconds }, index) => (
              <li key={index}>
                <Figure category={pose.category} />
                <strong>{pose.name}</strong>
                <span>{clock(seconds)}</span>
              </li>
            ))}
          </ol>
          <p className="actions">
            <button disabled={busy} onClick={start}>
              Begin
            </button>
          </p>
        </section>
      )}
      {sequence && practice && seconds === undefined && <Timer steps={sequence.poses} onEnd={setSeconds} />}
      {sequence && practice && seconds !== undefined && <Ending practice={practice} seconds={seconds} name={sequence.name} />}
    </main>
  );
}
