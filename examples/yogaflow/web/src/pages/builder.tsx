// Builds a sequence, or changes one of one's own.

import { useEffect, useState } from "react";
import { AREAS, DIFFICULTIES, POSE, SEQUENCE, STYLES, clock, run, useAction, useQuery } from "../api";
import type { Area, Difficulty, Pose, Sequence, Step, Style } from "../api";
import { Figure } from "../figure";
import { Choice, Problem } from "../ui";

const POSES = `query($filter: PoseFilter!) { poses(filter: $filter, first: 60) { nodes { ${POSE} } } }`;
const READ = `query($id: ID!) { sequence(id: $id) { ${SEQUENCE} poses { seconds notes pose { ${POSE} } } } }`;
const CREATE = `mutation($input: SequenceInput!) {
  createSequence(input: $input) { ... on SequenceSaved { sequence { id } } ... on YogaProblem { message } }
}`;
const UPDATE = "mutation($id: ID!, $input: SequenceInput!) { updateSequence(id: $id, input: $input) { sequence { id } } }";

interface Entry {
  key: number;
  pose: Pose;
  seconds: number;
  notes: string;
}

let keys = 0;
const entry = (pose: Pose, seconds = 45, notes = ""): Entry => ({ key: (keys += 1), pose, seconds, notes });

export function Builder({ id }: { id?: string }) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [style, setStyle] = useState<Style>("HATHA");
  const [difficulty, setDifficulty] = useState<Difficulty>("BEGINNER");
  const [focusArea, setFocusArea] = useState<Area>("WHOLE_BODY");
  const [isPublic, setPublic] = useState(false);
  const [entries, setEntries] = useState<Entry[]>([]);
  const [search, setSearch] = useState("");
  const [problem, setProblem] = useState<string>();
  const found = useQuery<{ poses: { nodes: Pose[] } }>(POSES, { filter: { search: search || null } });

  useEffect(() => {
    if (!id) return;
    run<{ sequence: Sequence & { poses: Step[] } }>(READ, { id }).then(({ data, problem }) => {
      setProblem(problem);
      if (!data) return;
      const { sequence } = data;
      setName(sequence.name);
      setDescription(sequence.description);
      setStyle(sequence.style);
      setDifficulty(sequence.difficulty);
      setFocusArea(sequence.focusArea);
      setPublic(sequence.public);
      setEntries(sequence.poses.map(({ pose, seconds, notes }) => entry(pose, seconds, notes)));
    });
  }, [id]);

  function move(from: number, by: number) {
    const next = [...entries];
    next.splice(from + by, 0, ...next.splice(from, 1));
    setEntries(next);
  }

  const { busy, act: save } = useAction(async () => {
    const poses = entries.map(({ pose, seconds, notes }) => ({ poseId: pose.id, seconds, notes }));
    const input = { name, description, style, difficulty, focusArea, public: isPublic, poses };
    const saved = await run<{ createSequence?: { message?: string } }>(id ? UPDATE : CREATE, { id, input });
    const failed = saved.problem ?? saved.data?.createSequence?.message;
    setProblem(failed);
    if (!failed) location.hash = "#/";
  });

  const total = entries.reduce((sum, { seconds }) => sum + seconds, 0);
  return (
    <>
      <h1>{id ? "Change a sequence" : "Build a sequence"}</h1>
      <div className="builder">
        <section aria-label="Poses to add" className="picker">
          <label className="choice">
            <span>Find a pose</span>
            <input type="search" value={search} onChange={(event) => setSearch(event.target.value)} />
          </label>
          <ul>
            {found.data?.poses.nodes.map((pose) => (
              <li key={pose.id}>
                <button className="quiet row" onClick={() => setEntries([...entries, entry(pose)])}>
                  <Figure category={pose.category} />
                  <span>
                    <span className="hidden">Add </span>
                    <strong>{pose.name}</strong>
                    <span className="sanskrit">{pose.sanskritName}</span>
                  </span>
                  <span aria-hidden="true">＋</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
        <form onSubmit={(event) => (event.preventDefault(), save())}>
          <label className="choice">
            <span>Name</span>
            <input required maxLength={80} value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          <label className="choice">
            <span>What is it for?</span>
            <input maxLength={1000} value={description} onChange={(event) => setDescription(event.target.value)} />
          </label>
          <div className="filters">
            <Choice label="Style" value={style} values={STYLES} onChange={(value) => value && setStyle(value)} />
            <Choice label="Level" value={difficulty} values={DIFFICULTIES} onChange={(value) => value && setDifficulty(value)} />
            <Choice label="Focus" value={focusArea} values={AREAS} onChange={(value) => value && setFocusArea(value)} />
          </div>
          <ol className="entries" aria-label="Poses of the sequence">
            {entries.map(({ key, pose, seconds }, index) => (
              <li key={key}>
                <Figure category={pose.category} />
                <strong>{pose.name}</strong>
                <label>
                  <input
                    type="number"
                    aria-label={`Seconds of ${pose.name}`}
                    min={5}
                    max={1800}
                    required
                    value={seconds}
                    onChange={(event) =>
                      setEntries(entries.map((old) => (old.key === key ? { ...old, seconds: event.target.valueAsNumber || 0 } : old)))
                    }
                  />{" "}
                  s
                </label>
                <span className="moves">
                  <button type="button" className="quiet" aria-label={`Move ${pose.name} up`} disabled={index === 0} onClick={() => move(index, -1)}>
                    ↑
                  </button>
                  <button
                    type="button"
                    className="quiet"
                    aria-label={`Move ${pose.name} down`}
                    disabled={index === entries.length - 1}
                    onClick={() => move(index, 1)}
                  >
                    ↓
                  </button>
                  <button
                    type="button"
                    className="quiet"
                    aria-label={`Remove ${pose.name}`}
                    onClick={() => setEntries(entries.filter((old) => old.key !== key))}
                  >
                    ×
                  </button>
                </span>
              </li>
            ))}
          </ol>
          {entries.length === 0 && <p className="empty">Add poses from the list.</p>}
          <label className="check">
            <input type="checkbox" checked={isPublic} onChange={(event) => setPublic(event.target.checked)} /> Share it with everyone
          </label>
          <Problem>{problem}</Problem>
          <p className="actions">
            <button disabled={busy || entries.length === 0}>Save</button>
            <span className="count">
              {entries.length} poses, {clock(total)}
            </span>
          </p>
        </form>
      </div>
    </>
  );
}
