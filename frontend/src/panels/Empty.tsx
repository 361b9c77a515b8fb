/** What a panel says when there is nothing in it. */

import type { LucideIcon } from "lucide-react";

export function Empty({ icon: Icon, title, lead }: { readonly icon: LucideIcon; readonly title: string; readonly lead: string }) {
  return (
    <div className="empty">
      <Icon size={28} aria-hidden strokeWidth={1.5} />
      <strong>{title}</strong>
      <p>{lead}</p>
    </div>
  );
}
