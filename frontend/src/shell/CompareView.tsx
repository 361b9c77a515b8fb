/** Two pictures, one over the other, with a divider that is moved by pointer and by keys. */

import { useState } from "react";

import { text } from "../text/en";

export interface Shown {
  readonly url: string;
  readonly title: string;
}

export function CompareView({ left, right }: { readonly left: Shown; readonly right: Shown }) {
  const [part, setPart] = useState(50);
  return (
    <div className="compare" style={{ "--part": `${part}%` }}>
      <img src={right.url} alt={text.results.picture(right.title)} draggable={false} />
      <img className="compare-left" src={left.url} alt={text.results.picture(left.title)} draggable={false} />
      <span className="compare-line" aria-hidden />
      <span className="compare-name is-left">{text.results.before}</span>
      <span className="compare-name is-right">{text.results.after}</span>
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        value={part}
        autoFocus
        aria-label={text.results.slider}
        onChange={(event) => setPart(Number(event.target.value))}
      />
    </div>
  );
}
