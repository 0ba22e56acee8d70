import CDNNL

/// The oneDNN CPU engine and its stream; belongs to one thread.
@safe final class Library {
  let engine: OpaquePointer
  let stream: OpaquePointer

  init() throws(EngineError) {
    var engine: OpaquePointer?
    try check("engine_create", "the engine", unsafe dnnl_engine_create(&engine, dnnl_cpu, 0))
    guard let engine = unsafe engine else { throw .unsupported("oneDNN gave no CPU engine") }
    unsafe self.engine = engine
    var stream: OpaquePointer?
    let flags = UInt32(dnnl_stream_default_flags.rawValue)
    let status = unsafe dnnl_stream_create(&stream, engine, flags)
    guard status == dnnl_success, let stream = unsafe stream else {
      _ = unsafe dnnl_engine_destroy(engine)
      throw .library(call: "stream_create", node: "the engine", status: Int32(status.rawValue))
    }
    unsafe self.stream = stream
  }

  deinit {
    _ = unsafe dnnl_stream_destroy(stream)
    _ = unsafe dnnl_engine_destroy(engine)
  }

  /// Waits until every primitive given to the stream has finished.
  func wait() throws(EngineError) { try check("stream_wait", "the plan", unsafe dnnl_stream_wait(stream)) }
}

/// Throws unless `status` is success.
func check(_ call: String, _ node: String, _ status: dnnl_status_t) throws(EngineError) {
  guard status == dnnl_success else { throw .library(call: call, node: node, status: Int32(status.rawValue)) }
}
