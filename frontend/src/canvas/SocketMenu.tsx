/** Links by keyboard: a list of the sockets that fit, and of what else can be done at a socket. */

import { Command } from "cmdk";
import { Dialog } from "radix-ui";
import { useMemo, useState } from "react";

import { disconnect } from "../graph/edits";
import { typeTitle } from "../graph/links";
import { partnersOf, portsOf, type Partner, type SocketOf } from "../graph/partners";
import { knowledge } from "../store/server";
import { useUi } from "../store/ui";
import { useShownDocument, useWorkspace } from "../store/workspace";
import { CloseButton } from "../shell/CloseButton";
import { text } from "../text/en";
import { lookOf } from "./looks";
import { link, wantedBy } from "./useLinking";
import { focusNode, freeSpot } from "./places";

const close = () => useUi.setState({ linking: null });

export function SocketMenu() {
  const linking = useUi((ui) => ui.linking);
  return (
    <Dialog.Root open={linking !== null} onOpenChange={close}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="palette" aria-describedby={undefined}>
          <Dialog.Title className="is-hidden">{text.link.title}</Dialog.Title>
          {linking && (linking.socket ? <Partners socket={linking.socket} /> : <Ports node={linking.node} />)}
          <CloseButton />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** First: which socket of the node. */
function Ports({ node }: { readonly node: string }) {
  const document = useShownDocument();
  const ports = useMemo(() => (document ? portsOf(document, node, knowledge().catalogue) : []), [document, node]);
  return (
    <List placeholder={text.link.which}>
      {ports.map((socket) => (
        <Command.Item
          key={`${socket.side} ${socket.port}`}
          value={`${text.link.sides[socket.side]} ${socket.label}`}
          onSelect={() => useUi.setState({ linking: { node, socket } })}
        >
          <Line colour={lookOf(socket.type).colour} title={`${text.link.sides[socket.side]}: ${socket.label}`} more={typeTitle(socket.type)} />
        </Command.Item>
      ))}
    </List>
  );
}

/** Then: what it is linked to. */
function Partners({ socket }: { readonly socket: SocketOf }) {
  const document = useShownDocument();
  const { edit } = useWorkspace.getState();
  const [isLoud, setLoud] = useState(false);
  const partners = useMemo(() => (document ? partnersOf(document, socket, knowledge()) : []), [document, socket]);
  const own = { node: socket.node, port: socket.port };
  const pick = (partner: Partner) => {
    close();
    const other = { node: partner.node, port: partner.port };
    edit((one) => (socket.side === "out" ? link(one, own, other) : link(one, other, own)));
    focusNode(socket.node, `${socket.side}:${socket.port}`);
  };
  const addNew = () => {
    close();
    const wanted = wantedBy(own, socket.side === "out" ? "source" : "target");
    const at = freeSpot(socket.node, socket.side === "out" ? "right" : "left");
    if (wanted) useUi.setState({ adding: { screen: { x: window.innerWidth / 2 - 170, y: 160 }, at, wanted, link: own } });
  };
  const unlink = () => {
    close();
    edit((one) => disconnect(one, [own]));
    focusNode(socket.node, `${socket.side}:${socket.port}`);
  };
  const fitting = partners.filter(({ verdict }) => verdict.ok);
  const others = partners.filter(({ verdict }) => !verdict.ok);
  return (
    <List placeholder={text.link.to(socket.label)}>
      {fitting.map((partner) => (
        <Command.Item key={`${partner.node}.${partner.port}`} value={`${partner.title} ${partner.label} ${partner.node}`} onSelect={() => pick(partner)}>
          <Line colour={lookOf(partner.type).colour} title={`${partner.title} · ${partner.label}`} more={partner.node} />
        </Command.Item>
      ))}
      <Command.Item value={text.link.newNode} onSelect={addNew}>
        <Line title={text.link.newNode} />
      </Command.Item>
      {socket.linked && (
        <Command.Item value={text.commands.unlink} onSelect={unlink}>
          <Line title={text.commands.unlink} />
        </Command.Item>
      )}
      {!isLoud && others.length > 0 && (
        <Command.Item value={text.link.others(others.length)} onSelect={() => setLoud(true)}>
          <Line title={text.link.others(others.length)} />
        </Command.Item>
      )}
      {isLoud &&
        others.map((partner) => (
          <Command.Item key={`${partner.node}.${partner.port}`} value={`${partner.title} ${partner.label} ${partner.node}`} disabled>
            <Line colour={lookOf(partner.type).colour} title={`${partner.title} · ${partner.label}`} more={partner.verdict.reason} />
          </Command.Item>
        ))}
    </List>
  );
}

function List({ placeholder, children }: { readonly placeholder: string; readonly children: React.ReactNode }) {
  return (
    <Command loop label={placeholder}>
      <Command.Input key={placeholder} autoFocus placeholder={placeholder} />
      <Command.List>
        <Command.Empty>{text.commands.nothing}</Command.Empty>
        {children}
      </Command.List>
    </Command>
  );
}

function Line({ colour, title, more }: { readonly colour?: string; readonly title: string; readonly more?: string }) {
  return (
    <>
      <span className="add-dot" style={{ "--colour": colour ?? "transparent" }} />
      <span className="add-title">{title}</span>
      {more && <span className="add-id">{more}</span>}
    </>
  );
}
