// Poses: search, filters, and a dialog with everything about a pose.

import { useEffect, useRef, useState } from "react";
import { AREAS, CATEGORIES, DIFFICULTIES, PAGE, POSE, useList, useQuery, words } from "../api";
import type { Area, Category, Difficulty, Pose } from "../api";
import { Figure } from "../figure";
import { Choice, Level, More, Problem } from "../ui";

const LIST = `query($filter: PoseFilter!, $after: String) {
  poses(filter: $filter, first: 24, after: $after) { nodes { ${POSE} } totalCount ${PAGE} }
}`;
const DETAILS = `query($id: ID!) { pose(id: $id) { ${POSE} description instructions benefits contraindications } }`;

interface Details extends Pose {
  description: string;
  instructions: string[];
  benefits: string[];
  contraindications: string[];
}

function PoseDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { data, problem } = useQuery<{ pose: Details }>(DETAILS, { id });
  useEffect(() => dialog.current?.showModal(), []);
  const pose = data?.pose;
  return (
    <dialog ref={dialog} onClose={onClose} onClick={(event) => event.target === dialog.current && dialog.current.close()}>
      <Problem>{problem}</Problem>
      {pose && (
        <article className="pose-details">
          <Figure category={pose.category} />
          <div>
            <h2>{pose.name}</h2>
            <p className="sanskrit">{pose.sanskritName}</p>
            <p className="tags">
              <Level difficulty={pose.difficulty} />
              {pose.targetAreas.map((area) => (
                <span key={area} className="tag">
                  {words(area)}
                </span>
              ))}
            </p>
            <p>{pose.description}</p>
            <ol>
              {pose.instructions.map((step) => (
                <li key={step}>{step}</li>
              ))}
            </ol>
            <p>
              <strong>Good for:</strong> {pose.benefits.join(" · ")}
            </p>
            {pose.contraindications.length > 0 && (
              <p>
                <strong>Avoid with:</strong> {pose.contraindications.join(" · ")}
              </p>
            )}
          </div>
        </article>
      )}
      <button className="quiet close" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}

export function Poses() {
  const [search, setSearch] = useState("");
  const [category, setCategory] = useState<Category | "">("");
  const [difficulty, setDifficulty] = useState<Difficulty | "">("");
  const [area, setArea] = useState<Area | "">("");
  const [open, setOpen] = useState<string>();
  const filter = {
    search: search || null,
    category: category || null,
    difficulty: difficulty || null,
    targetArea: area || null,
  };
  const { list, problem, more, busy } = useList<Pose>(LIST, "poses", { filter });

  return (
    <>
      <h1>Poses</h1>
      <div className="filters">
        <label className="choice grow">
          <span>Search</span>
          <input type="search" placeholder="Tree, Vrksasana…" value={search} onChange={(event) => setSearch(event.target.value)} />
        </label>
        <Choice label="Kind" any="All kinds" value={category} values={CATEGORIES} onChange={setCategory} />
        <Choice label="Level" any="All levels" value={difficulty} values={DIFFICULTIES} onChange={setDifficulty} />
        <Choice label="Works on" any="Everything" value={area} values={AREAS} onChange={setArea} />
      </div>
      <Problem>{problem}</Problem>
      {list && (
        <p className="count" role="status">
          {list.totalCount} {list.totalCount === 1 ? "pose" : "poses"}
        </p>
      )}
      <ul className="grid">
        {list?.nodes.map((pose) => (
          <li key={pose.id}>
            <button className="card pose" onClick={() => setOpen(pose.id)}>
              <Figure category={pose.category} />
              <strong>{pose.name}</strong>
              <span className="sanskrit">{pose.sanskritName}</span>
              <Level difficulty={pose.difficulty} />
            </button>
          </li>
        ))}
      </ul>
      <More more={more} busy={busy} />
      {open && <PoseDialog id={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}
