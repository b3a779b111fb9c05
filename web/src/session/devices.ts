// What this browser remembers about earlier sign-ins: the device token of each address, the latest address and whether
// it used a password. Storage may be full or blocked; sign-in still works then.

const DEVICES = "doorcode.devices";
const LAST = "doorcode.last";
const MOST_DEVICES = 10;

interface LastSignIn {
  email: string;
  password: boolean;
}

// Reading `localStorage` itself throws if storage is blocked.
const permanent = () => localStorage;
const ofThisTab = () => sessionStorage;

function read<T>(key: string, storage = permanent): T | null {
  try {
    return JSON.parse(storage().getItem(key) ?? "null") as T | null;
  } catch {
    return null;
  }
}

export function write(key: string, value: unknown, storage = permanent): void {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // See above.
  }
}

// Canonical address -> token, newest last. Each address has a separate token, so signing in to another account does not
// replace the first account's token.
function devices(storage = permanent): Map<string, string> {
  const known = read<[string, string][]>(DEVICES, storage);
  return new Map(Array.isArray(known) ? known : []);
}

/** The device token from an earlier sign-in with this address, or null. */
export function deviceToken(email: string): string | null {
  const address = email.trim().toLowerCase();
  return devices().get(address) ?? devices(ofThisTab).get(address) ?? null;
}

/** Stores a device token for an address, or removes the address if there is no token. */
export function keepDevice(email: string, token: string | null, remembered = true): void {
  for (const storage of [permanent, ofThisTab]) {
    const known = devices(storage);
    known.delete(email);
    if (token && storage === (remembered ? permanent : ofThisTab)) known.set(email, token);
    write(DEVICES, known.size > 0 ? [...known].slice(-MOST_DEVICES) : null, storage);
  }
}

/** Forgets the device tokens of this tab, which someone else may use next. */
export function forgetThisTab(): void {
  write(DEVICES, null, ofThisTab);
}

/** Moves everything about an address to the new one after an address change. */
export function renameAddress(before: string, after: string): void {
  const token = deviceToken(before);
  const remembered = devices().has(before);
  keepDevice(before, null);
  if (token) keepDevice(after, token, remembered);
  const last = lastSignIn();
  if (last?.email === before) keepLast({ ...last, email: after });
}

/** The latest sign-in of this browser, for a faster next one. */
export function lastSignIn(): LastSignIn | null {
  const last = read<LastSignIn>(LAST);
  return typeof last?.email === "string" ? last : null;
}

export function keepLast(last: LastSignIn | null): void {
  write(LAST, last);
}
