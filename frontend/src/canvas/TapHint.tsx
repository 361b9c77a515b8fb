/** While a link is made with fingers: what to tap next, and what else can be done with the socket. */

import { Eye, List, X } from "lucide-react";
import { useEffect } from "react";

import { openLinking } from "../commands/menus";
import { IconButton } from "../shell/IconButton";
import { lookAt } from "../store/look";
import { useUi } from "../store/ui";
import { text } from "../text/en";

const t = text.tap;
const end = () => useUi.setState({ tapped: null });

export function TapHint() {
  const tapped = useUi((ui) => ui.tapped);
  useEffect(() => end, []);
  if (tapped === null) return null;
  const { node, port, side, label } = tapped;
  return (
    <div className="tap-hint">
      <span role="status">{side === "out" ? t.input(label) : t.output(label)}</span>
      {side === "out" && (
        <IconButton
          label={t.look}
          icon={Eye}
          onClick={() => {
            end();
            void lookAt({ node, port }, { x: 16, y: 80 });
          }}
        />
      )}
      <IconButton
        label={t.list}
        icon={List}
        onClick={() => {
          end();
          openLinking(tapped);
        }}
      />
      <IconButton label={t.cancel} icon={X} onClick={end} />
    </div>
  );
}
