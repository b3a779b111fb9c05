// Reads data of the signed-in user from Doorcode.

import { useEffect, useState } from "react";
import { useDoorcode } from "@doorcode/client/react";

interface Data {
  me: { sessions: { nodes: { id: string; userAgent: string | null; createdAt: string; current: boolean }[] } };
}

export function Sessions() {
  const doorcode = useDoorcode();
  const [data, setData] = useState<Data | null>(null);
  useEffect(() => {
    void doorcode
      .query<Data>("{ me { sessions { nodes { id userAgent createdAt current } } } }")
      .then((result) => result.ok && setData(result.data));
  }, [doorcode]);
  return (
    <section>
      <h2>Your sessions</h2>
      <ul>
        {data?.me.sessions.nodes.map(({ id, userAgent, createdAt, current }) => (
          <li key={id}>
            {current && <b>This device. </b>}
            {userAgent} since {new Date(createdAt).toLocaleString()}
          </li>
        ))}
      </ul>
    </section>
  );
}
