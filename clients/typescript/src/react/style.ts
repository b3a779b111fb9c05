// A style sheet in a layer, so that any rule of the application outside of layers wins, such as one that sets the
// variables of `.doorcode`. Colours follow the `color-scheme` of the page. The sheet is attached as an object, which a
// content security policy without `unsafe-inline` allows.

import { useInsertionEffect } from "react";

const CSS = `@layer doorcode{
.doorcode{--doorcode-accent:light-dark(#4f46e5,#818cf8);--doorcode-on-accent:light-dark(#fff,#111);--doorcode-text:light-dark(#18181b,#f4f4f5);--doorcode-muted:light-dark(#5b5b66,#a9a9b5);--doorcode-line:#8b8b98;--doorcode-surface:light-dark(#fff,#1c1c21);--doorcode-error:light-dark(#b42318,#f97066);--doorcode-radius:8px;
color:var(--doorcode-text);font:16px/1.5 system-ui,sans-serif;accent-color:var(--doorcode-accent)}
.doorcode *{box-sizing:border-box}
.doorcode h2{margin:0;font-size:1.375rem;line-height:1.25}
.doorcode p{margin:0}
.doorcode-sign-in,.doorcode-sign-in form,.doorcode-sign-in label{display:grid;gap:.75rem}
.doorcode-sign-in{width:min(22rem,100%);margin:auto;text-align:start}
.doorcode-sign-in label{gap:.25rem;font-weight:500}
.doorcode-sign-in label.doorcode-check{display:flex;gap:.5rem;font-weight:400}
.doorcode input:not([type=checkbox]),.doorcode button{font:inherit;min-height:2.75rem;padding:.5rem .75rem;border:1px solid var(--doorcode-line);border-radius:var(--doorcode-radius);color:inherit;background:var(--doorcode-surface)}
.doorcode button{cursor:pointer;font-weight:500}
.doorcode button.doorcode-main{border-color:transparent;color:var(--doorcode-on-accent);background:var(--doorcode-accent)}
.doorcode button.doorcode-link{min-height:1.5rem;padding:0;border:0;justify-self:start;color:var(--doorcode-accent);background:none}
.doorcode button[aria-disabled=true]{opacity:.6;cursor:default}
.doorcode :focus-visible,.doorcode-code input:focus~span [data-next]{outline:2px solid var(--doorcode-accent);outline-offset:2px}
.doorcode-hint{color:var(--doorcode-muted);font-size:.875rem;font-weight:400}
.doorcode-error:not(:empty){color:var(--doorcode-error)}
.doorcode-spoken{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.doorcode-code{position:relative;display:block}
.doorcode .doorcode-code input{position:absolute;inset:0;width:100%;height:100%;border:0;color:transparent;caret-color:transparent;background:none;outline:0}
.doorcode-code span{display:flex;gap:.25rem;font:600 1.25rem/2.75rem ui-monospace,monospace;text-align:center}
.doorcode-code i{flex:1;height:2.75rem;font-style:normal;border:1px solid var(--doorcode-line);border-radius:var(--doorcode-radius)}
.doorcode-code i[data-gap]{margin-right:.75rem}
.doorcode-user{position:relative;display:inline-block}
.doorcode-user>button{width:2.75rem;padding:0;border-radius:50%}
.doorcode-menu{position:absolute;right:0;z-index:10;display:grid;gap:.5rem;min-width:16rem;margin-top:.5rem;padding:1rem;border:1px solid var(--doorcode-line);border-radius:var(--doorcode-radius);background:var(--doorcode-surface);overflow-wrap:anywhere}}`;

let sheet: CSSStyleSheet | undefined;

/** Attaches the style sheet to the document, once. */
export function useStyle(): void {
  useInsertionEffect(() => {
    if (sheet) return;
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }, []);
}
