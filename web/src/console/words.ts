// The words of the console, in the language of the page.

import { language, type Language } from "../i18n";
import type { Words } from "./words/en";

const loaders: Record<Language, () => Promise<Words>> = {
  en: async () => (await import("./words/en")).en,
  de: async () => (await import("./words/de")).de,
  fr: async () => (await import("./words/fr")).fr,
  es: async () => (await import("./words/es")).es,
  ja: async () => (await import("./words/ja")).ja,
};

let current: Words;

/** The words in the language of the page. */
export const words = (): Words => current;

/** Loads the words of the current language. */
export async function loadWords(): Promise<void> {
  current = await loaders[language()]();
}
