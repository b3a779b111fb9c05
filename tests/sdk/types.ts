// Compiles only if the types of the package are as the documentation says. It is never run.

import express from "express";
import { createDoorcode, DoorcodeError, type Problem, type Result, type Session } from "@doorcode/client";
import { DoorcodeProvider, SignIn, UserButton, useSession, useSignIn } from "@doorcode/client/react";
import { createVerifier, KeysError, TokenError, type Claims } from "@doorcode/client/server";
import { readCode } from "@doorcode/client/testing";

const doorcode = createDoorcode({ url: "https://login.example.com", onProblem: ({ message }) => console.log(message) });

// A document as code generators print it: a string with types.
interface Typed<Data, Variables> {
  toString(): string;
  __apiType?: (variables: Variables) => Data;
}
declare const Me: Typed<{ me: { email: string } | null }, { id: string }>;

export async function use(): Promise<string> {
  const sent = await doorcode.signIn.withCode("ada@example.com", { remember: false });
  if (!sent.ok) return sent.problem.message;
  const entered: Result<Session> = await sent.data.verify(await readCode("ada@example.com"));
  if (!entered.ok && entered.problem.code === "INVALID_CODE") return String(entered.problem.attemptsLeft);
  const read = await doorcode.query(Me, { id: "1" });
  // @ts-expect-error The variable has another type.
  await doorcode.query(Me, { id: 1 });
  // @ts-expect-error A result must be checked first.
  read.data;
  for await (const { me } of doorcode.subscribe(Me, { id: "1" })) console.log(me?.email);
  const pending = doorcode.signIn.pending();
  if (pending?.kind === "reset") await pending.finish("1", "2");
  const problem: Problem | null = read.ok ? null : read.problem;
  return problem ? problem.code : (read.ok && read.data.me?.email) || "";
}

const verifier = createVerifier({ issuer: "https://login.example.com", audience: "https://api.example.com" });
express().get("/", verifier.express(), (request, response) => void response.json({ user: request.auth?.sub }));
export const handler = verifier.fetch((_request, claims: Claims) => new Response(claims.sub));
export const errors = [DoorcodeError, KeysError, TokenError];
export const parts = [DoorcodeProvider, SignIn, UserButton, useSession, useSignIn];
