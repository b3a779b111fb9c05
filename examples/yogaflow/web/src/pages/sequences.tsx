// Sequences: presets, those of the community, one's own, and favorites.

import { useState } from "react";
import { DIFFICULTIES, PAGE, SEQUENCE, STYLES, minutes, run, useList, words } from "../api";
import type { Category, Difficulty, Sequence, Style } from "../api";
import { Figure } from "../figure";
import { Choice, Level, More, Problem } from "../ui";

const SOURCES = { PRESETS: "Presets", PUBLIC: "Community", OWN: "Yours", FAVORITES: "Favorites" } as const;
type Source = keyof typeof SOURCES;

const EMPTY: Record<Source, string> = {
  PRESETS: "No preset matches.",
  PUBLIC: "Nobody has shared a sequence like this yet. Build one and make it public.",
  OWN: "You have no sequence like this yet. Build one.",
  FAVORITES: "Mark a sequence with the heart, and you find it here.",
};

type Card = Sequence & { poses: { pose: { category: Category } }[] };

const LIST = `query($source: SequenceSource!, $filter: SequenceFilter!, $after: String) {
  sequences(source: $source, filter: $filter, first: 24, after: $after) { nodes { ${SEQUENCE} poses { pose { category } } } ${PAGE} }
}`;
const ADD = "mutation($id: ID!) { addFavorite(sequenceId: $id) { sequence { id } } }";
const REMOVE = "mutation($id: ID!) { removeFavorite(sequenceId: $id) { sequenceId } }";
const DELETE = "mutation($id: ID!) { deleteSequence(id: $id) { sequenceId } }";

function SequenceCard({ sequence, change }: { sequence: Card; change: (document: string, id: string) => void }) {
  const { id, name, favorite } = sequence;
  const categories = [...new Set(sequence.poses.map(({ pose }) => pose.category))].slice(0, 5);
  return (
    <li className={`card sequence ${sequence.style.toLowerCase()}`}>
      <div className="strip" aria-hidden="true">
        {categories.map((category) => (
          <Figure key={category} category={category} />
        ))}
      </div>
      <div className="title">
        <h2>{name}</h2>
        <button
          className="heart"
          aria-pressed={favorite}
          aria-label={`Favorite: ${name}`}
          onClick={() => change(favorite ? REMOVE : ADD, id)}
        >
          {favorite ? "♥" : "♡"}
        </button>
      </div>
      <p className="description">{sequence.description}</p>
      <p className="tags">
        <span className="tag">{words(sequence.style)}</span>
        <span className="tag">{minutes(sequence.seconds)}</span>
        <span className="tag">{sequence.poses.length} poses</span>
        <Level difficulty={sequence.difficulty} />
      </p>
      <p className="actions">
        <a className="button" href={`#/practise/${id}`} aria-label={`Start ${name}`}>
          Start
        </a>
        {sequence.mine && (
          <>
            <a className="quiet button" href={`#/build/${id}`}>
              Edit
            </a>
            <button className="quiet" onClick={() => confirm(`Delete ${name}?`) && change(DELETE, id)}>
              Delete
            </button>
          </>
        )}
      </p>
    </li>
  );
}

export function Sequences() {
  const [source, setSource] = useState<Source>("PRESETS");
  const [style, setStyle] = useState<Style | "">("");
  const [difficulty, setDifficulty] = useState<Difficulty | "">("");
  const filter = { style: style || null, difficulty: difficulty || null };
  const { list, problem, more, busy, again } = useList<Card>(LIST, "sequences", { source, filter });
  const [failed, setFailed] = useState<string>();

  async function change(document: string, id: string) {
    setFailed((await run(document, { id })).problem);
    await again();
  }

  return (
    <>
      <h1>What do you need today?</h1>
      <div className="filters">
        <div className="tabs" role="group" aria-label="Sequences">
          {(Object.keys(SOURCES) as Source[]).map((name) => (
            <button key={name} aria-pressed={source === name} onClick={() => setSource(name)}>
              {SOURCES[name]}
            </button>
          ))}
        </div>
        <Choice label="Style" any="All styles" value={style} values={STYLES} onChange={setStyle} />
        <Choice label="Level" any="All levels" value={difficulty} values={DIFFICULTIES} onChange={setDifficulty} />
      </div>
      <Problem>{failed ?? problem}</Problem>
      <ul className="grid wide">
        {list?.nodes.map((sequence) => (
          <SequenceCard key={sequence.id} sequence={sequence} change={change} />
        ))}
      </ul>
      <More more={more} busy={busy} />
      {list?.nodes.length === 0 && <p className="empty">{EMPTY[source]}</p>}
    </>
  );
}
