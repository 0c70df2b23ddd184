/** The two ways that items take through our streams, so that every rule is tested on both. @module */
import type { OperatorStream, SinkStream } from "../lib/streams/mod.ts";

/** Pipes and iterates, one way or the other. */
export interface Path {
  readonly name: string;
  through<I, O>(
    stream: ReadableStream<I>,
    operator: OperatorStream<I, O>,
    options?: StreamPipeOptions,
  ): ReadableStream<O>;
  to<T>(stream: ReadableStream<T>, sink: SinkStream<T>, options?: StreamPipeOptions): Promise<void>;
  items<T>(
    stream: ReadableStream<T>,
    options?: ReadableStreamIteratorOptions,
  ): AsyncIterableIterator<T>;
}

const platform = ReadableStream.prototype;

/** As users write it, which runs fused; and by the platform's own methods, which know nothing of us. */
export const paths: readonly Path[] = [
  {
    name: "fused",
    through: (stream, operator, options) => stream.pipeThrough(operator, options),
    to: (stream, sink, options) => stream.pipeTo(sink, options),
    items: (stream, options) => stream.values(options),
  },
  {
    name: "native",
    through<I, O>(
      stream: ReadableStream<I>,
      operator: OperatorStream<I, O>,
      options?: StreamPipeOptions,
    ) {
      return platform.pipeThrough.call(stream, operator, options) as ReadableStream<O>;
    },
    to: (stream, sink, options) => platform.pipeTo.call(stream, sink, options),
    items: (stream, options) => platform.values.call(stream, options),
  },
];
