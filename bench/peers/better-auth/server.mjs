// better-auth with e-mail codes and passwords, one process a core. The environment names the port, the database and the
// mail server. `migrate` as the first argument creates the tables.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { availableParallelism } from "node:os";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { emailOTP } from "better-auth/plugins";
import nodemailer from "nodemailer";
import pg from "pg";

const { PORT, DATABASE_URL, SMTP_PORT, SECRET } = process.env;
const processes = availableParallelism();
// Reached by nothing that bench does.
const unlimited = { window: 1, max: 1_000_000_000 };

const mail = nodemailer.createTransport({
  host: "127.0.0.1",
  port: Number(SMTP_PORT),
  pool: true,
  maxMessages: Infinity,
  ignoreTLS: true,
});

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: SECRET,
  // Together as many connections as Doorcode has.
  database: new pg.Pool({ connectionString: DATABASE_URL, max: Math.ceil(20 / processes) }),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: true, ...unlimited, customRules: { "/**": unlimited } },
  telemetry: { enabled: false },
  logger: { level: "error" },
  plugins: [
    emailOTP({
      storeOTP: "hashed",
      rateLimit: unlimited,
      // Not awaited, as its documentation recommends.
      async sendVerificationOTP({ email, otp }) {
        mail
          .sendMail({ from: "no-reply@bench.example", to: email, subject: "Code", text: `Your code:\n\n${otp}\n` })
          .catch((error) => console.error(error));
      },
    }),
  ],
});

if (process.argv[2] === "migrate") {
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  process.exit(0);
}
if (cluster.isPrimary) {
  for (let number = 0; number < processes; number += 1) cluster.fork();
} else {
  const handler = toNodeHandler(auth);
  createServer((request, response) => {
    if (request.url === "/health") response.end("ok");
    else handler(request, response);
  }).listen(Number(PORT), "127.0.0.1");
}
