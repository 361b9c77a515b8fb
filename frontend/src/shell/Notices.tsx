/** What was told a moment ago. */

import { CircleAlert, Info, WifiOff, X } from "lucide-react";

import { useServer } from "../store/server";
import { dismiss, useUi } from "../store/ui";
import { text } from "../text/en";
import { IconButton } from "./IconButton";

export function Notices() {
  const notices = useUi((ui) => ui.notices);
  const isLost = useServer(({ connected, status, finished }) => status === "ready" && !connected && finished >= 0);
  return (
    <div className="notices" role="status" aria-live="polite">
      {isLost && (
        <div className="notice is-offline">
          <WifiOff size={16} aria-hidden />
          <span>{text.bar.offline}</span>
        </div>
      )}
      {notices.map(({ id, kind, text: title, detail }) => (
        <div key={id} className={`notice is-${kind}`}>
          {kind === "error" ? <CircleAlert size={16} aria-hidden /> : <Info size={16} aria-hidden />}
          <span>
            <strong>{title}</strong>
            {detail && <small>{detail}</small>}
          </span>
          <IconButton label={text.notice.dismiss} icon={X} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
