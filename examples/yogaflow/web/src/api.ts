// The API: the client, the types of what is read, and hooks that read and change it.

import { useEffect, useRef, useState } from "react";
import { createDoorcode } from "@doorcode/client";

export const doorcode = createDoorcode({ url: import.meta.env.VITE_DOORCODE_URL ?? "http://localhost:4000" });

export const DIFFICULTIES = ["BEGINNER", "INTERMEDIATE", "ADVANCED"] as const;
export const CATEGORIES = [
  "STANDING",
  "BALANCING",
  "ARM_BALANCE",
  "SEATED",
  "FORWARD_BEND",
  "BACKBEND",
  "TWIST",
  "INVERSION",
  "CORE",
  "RESTORATIVE",
] as const;
export const AREAS = [
  "ANKLES",
  "ARMS",
  "BACK",
  "CHEST",
  "CORE",
  "HAMSTRINGS",
  "HIPS",
  "LEGS",
  "NECK",
  "SHOULDERS",
  "WHOLE_BODY",
] as const;
export const STYLES = ["ASHTANGA", "HATHA", "POWER", "RESTORATIVE", "VINYASA", "YIN"] as const;
export const MOODS = { CALM: "😌", HAPPY: "😊", ENERGISED: "⚡", NEUTRAL: "😐", TIRED: "😴" } as const;

export type Difficulty = (typeof DIFFICULTIES)[number];
export type Category = (typeof CATEGORIES)[number];
export type Area = (typeof AREAS)[number];
export type Style = (typeof STYLES)[number];
export type Mood = keyof typeof MOODS;

export interface Pose {
  id: string;
  name: string;
  sanskritName: string;
  category: Category;
  difficulty: Difficulty;
  targetAreas: Area[];
}

export interface Step {
  pose: Pose & { instructions: string[] };
  seconds: number;
  notes: string;
}

export interface Sequence {
  id: string;
  name: string;
  description: string;
  difficulty: Difficulty;
  focusArea: Area;
  style: Style;
  seconds: number;
  public: boolean;
  preset: boolean;
  mine: boolean;
  favorite: boolean;
}

export interface List<T> {
  nodes: T[];
  totalCount?: number;
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

export const POSE = "id name sanskritName category difficulty targetAreas";
export const SEQUENCE = "id name description difficulty focusArea style seconds public preset mine favorite";
export const PAGE = "pageInfo { hasNextPage endCursor }";

/** Runs an operation. Returns its data, or the message of a problem. */
export async function run<T>(document: string, variables?: Record<string, unknown>): Promise<{ data?: T; problem?: string }> {
  try {
    const result = await doorcode.query<T>(document, variables);
    return result.ok ? { data: result.data } : { problem: result.problem.message };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Reads data, and again when the variables change. Keeps what was read while it reads again. */
export function useQuery<T>(document: string, variables: Record<string, unknown> = {}) {
  const [state, setState] = useState<{ data?: T; problem?: string }>({});
  const key = JSON.stringify(variables);
  useEffect(() => {
    let current = true;
    run<T>(document, JSON.parse(key)).then((next) => {
      if (current) setState((last) => ({ data: next.data ?? last.data, problem: next.problem }));
    });
    return () => {
      current = false;
    };
  }, [document, key]);
  return state;
}

/**
 * Reads a list page by page. `document` has the variable `after`, and one field with the given name. Starts again when
 * the variables change.
 */
export function useList<T>(document: string, name: string, variables: Record<string, unknown> = {}) {
  const [list, setList] = useState<List<T>>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const turn = useRef(0);
  const key = JSON.stringify(variables);

  /** Reads pages after those that are known, until there are `length` items. */
  const read = async (known: List<T> | undefined, length: number) => {
    const mine = (turn.current += 1);
    setBusy(true);
    let next = known;
    let failed: string | undefined;
    do {
      const after = next?.pageInfo.endCursor;
      const { data, problem } = await run<Record<string, List<T>>>(document, { ...JSON.parse(key), after });
      if (turn.current !== mine) return; // The variables have changed.
      failed = problem;
      if (data) next = { ...data[name], nodes: [...(next?.nodes ?? []), ...data[name].nodes] };
    } while (!failed && next?.pageInfo.hasNextPage && next.nodes.length < length);
    if (!failed || known) setList(next);
    setProblem(failed);
    setBusy(false);
  };
  useEffect(() => {
    void read(undefined, 1);
    return () => void (turn.current += 1);
  }, [document, key]);
  const items = list?.nodes ?? [];
  return {
    list,
    problem,
    busy,
    /** Reads the next page, if there is one. */
    more: list?.pageInfo.hasNextPage ? () => read(list, items.length + 1) : undefined,
    /** Reads again as many items as there are. */
    again: () => read(undefined, items.length),
  };
}

/** Runs one action at a time. */
export function useAction(work: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setBusy(true);
    await work().finally(() => setBusy(false));
  };
  return { busy, act };
}

/** The words of an enum value: `WHOLE_BODY` becomes "Whole body". */
export function words(value: string): string {
  const text = value.toLowerCase().replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

/** A duration in minutes and seconds. */
export const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
export const minutes = (seconds: number) => `${Math.max(1, Math.round(seconds / 60))} min`;
export const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
