// Copying a text that the page shows.

/**
 * Copies the text of an element. Without HTTPS there is no clipboard, and users can refuse it: then selects the text
 * and returns false.
 */
export async function copyText(element: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return false;
  }
}
