/** What the selected node does, and what its inputs and outputs are. */

import { Dialog } from "radix-ui";

import { typeTitle } from "../graph/links";
import { typeOf } from "../graph/nodetypes";
import type { NodeType } from "../graph/catalogue";
import { useServer } from "../store/server";
import { useUi } from "../store/ui";
import { useShownDocument, useWorkspace } from "../store/workspace";
import { text } from "../text/en";
import { CloseButton } from "./CloseButton";

export function HelpDialog() {
  const isOpen = useUi((ui) => ui.dialog === "help");
  const document = useShownDocument();
  const catalogue = useServer((server) => server.catalogue);
  const [id] = useWorkspace((workspace) => workspace.selected);
  const type = document && id !== undefined && Object.hasOwn(document.nodes, id) ? typeOf(document, id, catalogue) : null;
  return (
    <Dialog.Root open={isOpen && type !== null} onOpenChange={() => useUi.setState({ dialog: null })}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog help-dialog" aria-describedby={undefined}>
          {type && <About type={type} />}
          <CloseButton />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function About({ type }: { readonly type: NodeType }) {
  const [first = "", ...more] = type.help.split("\n\n");
  const outputs = Object.entries(type.outputs);
  return (
    <>
      <Dialog.Title>{type.title}</Dialog.Title>
      <p className="help-id">
        {[type.id, type.category, text.help.version(type.version), type.pack && text.help.pack(type.pack)].filter(Boolean).join(" · ")}
      </p>
      <p className="help-lead">{first || text.help.none}</p>
      {more.map((part) => (
        <p key={part}>{part}</p>
      ))}
      {type.inputs.length > 0 && <h3>{text.list.inputs}</h3>}
      <dl>
        {type.inputs.map(({ name, type: socket, help, required }) => (
          <Port key={name} name={name} told={[typeTitle(socket), required && text.help.required].filter(Boolean).join(", ")} help={help} />
        ))}
      </dl>
      {outputs.length > 0 && <h3>{text.list.outputs}</h3>}
      <dl>
        {outputs.map(([name, socket]) => (
          <Port key={name} name={name} told={typeTitle(socket)} help="" />
        ))}
      </dl>
    </>
  );
}

function Port({ name, told, help }: { readonly name: string; readonly told: string; readonly help: string }) {
  return (
    <div>
      <dt>{name.replaceAll("_", " ")}</dt>
      <dd>
        <small>{told}</small>
        {help && <span>{help}</span>}
      </dd>
    </div>
  );
}
