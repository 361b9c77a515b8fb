/** The pictures of a node: unfinished ones while it samples, and those that it saved or shows. */

import { memo, useMemo } from "react";

import { plainPath, type NodeRun } from "../graph/run";
import { FINAL, useServer } from "../store/server";
import { useUi } from "../store/ui";
import { text } from "../text/en";
import { artifactUrl } from "../store/pictures";
import { usePrefix } from "../store/workspace";
import { useShownJob } from "./useNodeRun";

export const NodePictures = memo(function NodePictures({ id, run }: { readonly id: string; readonly run: NodeRun | undefined }) {
  const job = useShownJob();
  const prefix = usePrefix();
  const saved = useServer(({ runs }) => (job === null ? undefined : runs[job]?.saved));
  // What a node saved is handed out when its job is over.
  const isOver = useServer(({ jobs }) => job !== null && FINAL.has(jobs.get(job)?.state ?? ""));
  const urls = useMemo(() => {
    if (job === null || !isOver) return [];
    const path = `${prefix ?? ""}${id}`;
    const isOwn = (node: string) => prefix !== null && (node === path || node.startsWith(`${path}/`));
    const own = saved?.filter(({ node, mediaType }) => isOwn(plainPath(node)) && mediaType.startsWith("image/"));
    return own?.map(({ path }) => artifactUrl(job, path)) ?? [];
  }, [job, isOver, saved, id, prefix]);
  const shown = urls.length > 0 ? urls : run?.preview ? [run.preview] : [];
  if (shown.length === 0) return null;
  return (
    <div className={`node-pictures ${shown.length > 1 ? "is-many" : ""} ${urls.length === 0 ? "is-preview" : ""}`}>
      {shown.map((url) => (
        <button
          type="button"
          className="nodrag"
          key={url}
          aria-label={text.node.picture}
          onClick={() => useUi.setState({ picture: { url, title: id } })}
        >
          <img src={url} alt={text.node.picture} draggable={false} />
        </button>
      ))}
    </div>
  );
});
