// The public keys of a Doorcode server, cached. Each key has one algorithm.

export interface JwksOptions {
  /** Where the keys are. Default: `/.well-known/jwks.json` of the issuer. */
  jwksUri?: string;
  /** A replacement for the global `fetch`. */
  fetch?: typeof globalThis.fetch;
}

/** Doorcode's public keys cannot be read. Answer with status 503. */
export class KeysError extends Error {
  override readonly name = "KeysError";
}

export interface VerifyingKey {
  alg: string;
  algorithm: AlgorithmIdentifier | EcdsaParams;
  key: CryptoKey;
}

type Jwk = JsonWebKey & { kid?: string };

// Doorcode publishes a new key ten minutes before it signs, and lets caches keep keys for five.
const MAX_AGE = 300_000;
/** How long keys serve while the server is unreachable. */
const MAX_STALE = 3_600_000;
/** Time between two requests, so that tokens with invented keys cause no load. */
const PAUSE = 10_000;
const PAUSE_AFTER_FAILURE = 1_000;

// The algorithm of a kind of key, and its parameters to import the key and to verify.
const KINDS: Record<string, [string, RsaHashedImportParams | EcKeyImportParams | Algorithm, AlgorithmIdentifier | EcdsaParams]> = {
  OKP: ["EdDSA", { name: "Ed25519" }, { name: "Ed25519" }],
  EC: ["ES256", { name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
  RSA: ["RS256", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, { name: "RSASSA-PKCS1-v1_5" }],
};

async function imported(jwk: Jwk): Promise<VerifyingKey | null> {
  const kind = KINDS[jwk.kty ?? ""];
  if (!kind || (jwk.alg && jwk.alg !== kind[0])) return null;
  try {
    const key = await crypto.subtle.importKey("jwk", jwk, kind[1], false, ["verify"]);
    const { modulusLength = 2048 } = key.algorithm as Partial<RsaKeyAlgorithm>;
    return modulusLength < 2048 ? null : { alg: kind[0], algorithm: kind[2], key };
  } catch {
    // A key that this runtime does not know. Tokens of the other keys still work.
    return null;
  }
}

/** Returns a function that finds a key by its ID. */
export function jwks(issuer: string, { jwksUri, fetch: fetcher = (...request) => fetch(...request) }: JwksOptions) {
  const url = jwksUri ?? new URL(".well-known/jwks.json", issuer.endsWith("/") ? issuer : `${issuer}/`).href;
  let keys = new Map<string, VerifyingKey>();
  let fetchedAt = -Infinity;
  let nextAt = -Infinity;
  let loading: Promise<void> | null = null;

  async function load(): Promise<void> {
    nextAt = performance.now() + PAUSE_AFTER_FAILURE;
    const response = await fetcher(url, { redirect: "error", signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const body = (await response.json()) as { keys: Jwk[] };
    const found = new Map<string, VerifyingKey>();
    for (const jwk of body.keys) {
      const key = jwk.kid ? await imported(jwk) : null;
      if (key) found.set(jwk.kid!, key);
    }
    keys = found;
    fetchedAt = performance.now();
    nextAt = fetchedAt + PAUSE;
  }

  return async function find(kid: string): Promise<VerifyingKey | undefined> {
    const now = performance.now();
    const isFresh = now - fetchedAt < MAX_AGE;
    if (isFresh && keys.has(kid)) return keys.get(kid);
    if (loading || now >= nextAt) {
      try {
        await (loading ??= load().finally(() => (loading = null)));
      } catch (error) {
        if (now - fetchedAt > MAX_STALE) {
          throw new KeysError(`Cannot read the keys at ${url} (${(error as Error).message}). Is Doorcode running and reachable from here?`);
        }
      }
    } else if (now - fetchedAt > MAX_STALE) {
      throw new KeysError(`Cannot read the keys at ${url}. Is Doorcode running and reachable from here?`);
    }
    return keys.get(kid);
  };
}
