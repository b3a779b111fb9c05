// The kinds of events as buttons: first the groups, and then the kinds of the chosen group.

import type { AuditKind } from "../api/operations";
import { number } from "./format";
import { groupNames, groups, kindName, type Group } from "./kinds";
import { words } from "./words";

interface Props {
  group: string;
  kind: string;
  totals: Map<AuditKind, number> | null;
  onChoose: (group: string, kind: string) => void;
}

export function Facets({ group, kind, totals, onChoose }: Props) {
  const t = words();
  const sum = (kinds: readonly AuditKind[]) => totals && kinds.reduce((all, each) => all + (totals.get(each) ?? 0), 0);
  const everything = totals && [...totals.values()].reduce((all, one) => all + one, 0);
  return (
    <div class="facets">
      <div class="pills" role="group" aria-label={t.audit.groups}>
        <Pill label={t.audit.everything} count={everything} chosen={group === ""} onChoose={() => onChoose("", "")} />
        {groupNames.map((name) => (
          <Pill label={t.groups[name]} mark={name} count={sum(groups[name])} chosen={group === name} onChoose={() => onChoose(group === name ? "" : name, "")} key={name} />
        ))}
      </div>
      {group in groups && (
        <div class="pills minor" role="group" aria-label={t.groups[group as Group]}>
          {groups[group as Group].map((each: AuditKind) => (
            <Pill label={kindName(each)} count={totals && (totals.get(each) ?? 0)} chosen={kind === each} onChoose={() => onChoose(group, kind === each ? "" : each)} key={each} />
          ))}
        </div>
      )}
    </div>
  );
}

interface PillProps {
  label: string;
  mark?: Group;
  count: number | null;
  chosen: boolean;
  onChoose: () => void;
}

function Pill({ label, mark, count, chosen, onChoose }: PillProps) {
  return (
    <button type="button" class="pill" aria-pressed={chosen} onClick={onChoose}>
      {mark && <span class={`mark ${mark}`} aria-hidden="true" />}
      {label}
      {count !== null && <span class="pill-count">{number(count)}</span>}
    </button>
  );
}
