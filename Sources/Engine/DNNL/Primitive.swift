import CDNNL

/// A configured operation: knows the layouts it wants before it is created. Owns its oneDNN object.
@safe final class PrimitiveDescriptor {
  fileprivate let raw: OpaquePointer
  private let library: Library

  fileprivate init(taking raw: OpaquePointer, _ library: Library) {
    unsafe self.raw = raw
    self.library = library
  }

  deinit { _ = unsafe dnnl_primitive_desc_destroy(raw) }

  enum Role { case source, weights, destination, sourceGradient, weightsGradient, destinationGradient, workspace, scratchpad }

  /// The layout this operation wants for an argument; `nil` where it takes none.
  func layout(_ role: Role) -> Descriptor? {
    let query: dnnl_query_t =
      switch role {
      case .source: dnnl_query_src_md
      case .weights: dnnl_query_weights_md
      case .destination: dnnl_query_dst_md
      case .sourceGradient: dnnl_query_diff_src_md
      case .weightsGradient: dnnl_query_diff_weights_md
      case .destinationGradient: dnnl_query_diff_dst_md
      case .workspace: dnnl_query_workspace_md
      case .scratchpad: dnnl_query_scratchpad_md
      }
    guard let md = unsafe dnnl_primitive_desc_query_md(raw, query, 0) else { return nil }
    let descriptor = unsafe Descriptor(raw: md.pointee)
    return descriptor.byteCount == 0 ? nil : descriptor
  }

  /// The name of the kernel that oneDNN chose, such as `jit:avx512_core`.
  var kernel: String {
    var name: UnsafePointer<CChar>?
    guard unsafe dnnl_primitive_desc_query(raw, dnnl_query_impl_info_str, 0, &name) == dnnl_success,
      let text = unsafe name
    else { return "unknown" }
    return unsafe String(cString: text)
  }
}

/// An operation ready to run. Owns its oneDNN object.
@safe final class Primitive {
  private let raw: OpaquePointer
  let descriptor: PrimitiveDescriptor
  private var arguments: [dnnl_exec_arg_t] = unsafe []

  init(_ descriptor: PrimitiveDescriptor, for node: String) throws(EngineError) {
    var raw: OpaquePointer?
    try check("primitive_create", node, unsafe dnnl_primitive_create(&raw, descriptor.raw))
    guard let raw = unsafe raw else { throw .unsupported("oneDNN gave no primitive for \(node)") }
    unsafe self.raw = raw
    self.descriptor = descriptor
  }

  deinit { _ = unsafe dnnl_primitive_destroy(raw) }

  func bind(_ list: [(Argument, Memory)]) {
    unsafe arguments = list.map { argument, memory in
      unsafe dnnl_exec_arg_t(arg: argument.rawValue, memory: memory.raw)
    }
  }

  func execute(on library: Library, node: String) throws(EngineError) {
    try check("primitive_execute", node, unsafe dnnl_primitive_execute(raw, library.stream, Int32(arguments.count), arguments))
  }
}

/// What an argument is to a primitive, with oneDNN's own numbers.
enum Argument: Int32 {
  case source = 1, secondSource = 2, destination = 17, weights = 33, bias = 41, mean = 49, variance = 50, scale = 51, shift = 52
  case workspace = 64, scratchpad = 80
  case sourceGradient = 129, destinationGradient = 145, weightsGradient = 161, scaleGradient = 255, shiftGradient = 256
}

/// A typed view of memory that somebody else owns.
@safe final class Memory {
  fileprivate let raw: OpaquePointer
  let descriptor: Descriptor

  init(_ descriptor: Descriptor, _ library: Library) throws(EngineError) {
    var md = descriptor.raw, raw: OpaquePointer?
    try check("memory_create", "memory", unsafe dnnl_memory_create(&raw, &md, library.engine, nil))
    guard let raw = unsafe raw else { throw .unsupported("oneDNN gave no memory object") }
    unsafe self.raw = raw
    self.descriptor = descriptor
  }

  deinit { _ = unsafe dnnl_memory_destroy(raw) }

  @unsafe func point(at address: UnsafeMutableRawPointer) {
    let status = unsafe dnnl_memory_set_data_handle(raw, address)
    precondition(status == dnnl_success, "oneDNN refuses a data address")
  }
}

// MARK: - Configuring each kind of primitive

extension PrimitiveDescriptor {
  /// Creates a primitive descriptor from an operation descriptor; scratch memory is always ours, so that a primitive may
  /// run on any thread and several plans can coexist (oneDNN's contract for library scratchpads is narrower).
  static func make<D>(
    _ operation: inout D, _ library: Library, node: String, hint: PrimitiveDescriptor? = nil, adds: Bool = false, rectifies: Bool = false
  ) throws(EngineError) -> PrimitiveDescriptor {
    var attributes: OpaquePointer?
    try check("primitive_attr_create", node, unsafe dnnl_primitive_attr_create(&attributes))
    defer { _ = unsafe dnnl_primitive_attr_destroy(attributes) }
    try check("set_scratchpad_mode", node, unsafe dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user))
    if adds || rectifies {
      var chain: OpaquePointer?
      try check("post_ops_create", node, unsafe dnnl_post_ops_create(&chain))
      defer { _ = unsafe dnnl_post_ops_destroy(chain) }
      if adds { try check("post_ops_append", node, unsafe dnnl_post_ops_append_sum(chain, 1)) }
      if rectifies { try check("post_ops_append", node, unsafe dnnl_post_ops_append_eltwise(chain, 1, dnnl_eltwise_relu, 0, 0)) }
      try check("set_post_ops", node, unsafe dnnl_primitive_attr_set_post_ops(attributes, chain))
    }
    var raw: OpaquePointer?
    let status = unsafe withUnsafePointer(to: &operation) {
      unsafe dnnl_primitive_desc_create(&raw, UnsafeRawPointer($0), attributes, library.engine, hint?.raw)
    }
    try check("primitive_desc_create", node, status)
    guard let raw = unsafe raw else { throw .unsupported("oneDNN gave no primitive descriptor for \(node)") }
    return unsafe PrimitiveDescriptor(taking: raw, library)
  }

  private static func pair(_ value: Int) -> [dnnl_dim_t] { [dnnl_dim_t(value), dnnl_dim_t(value)] + Array(repeating: 0, count: 10) }

  enum ConvolutionAlgorithm {
    case direct, winograd
    fileprivate var raw: dnnl_alg_kind_t { self == .direct ? dnnl_convolution_direct : dnnl_convolution_winograd }
  }

  /// What follows a convolution in the same pass over its result.
  struct Epilogue {
    /// Adds a number per channel.
    var hasBias = false
    /// Adds to what the destination holds.
    var adds = false
    var rectifies = false
    /// Weights may be kept in a form that has no gradient.
    var isFrozen = false
  }

  static func convolution(
    _ p: ConvolutionProblem, _ algorithm: ConvolutionAlgorithm, _ epilogue: Epilogue, _ library: Library, node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var b = Descriptor.plain([p.maps[1]]).raw
    var operation = dnnl_convolution_desc_t(), s = p.source.raw, w = Descriptor.any(p.weights, p.number).raw, d = p.destination.raw
    try check("convolution_forward", node, unsafe withUnsafePointer(to: &b) {
      unsafe dnnl_convolution_forward_desc_init(
        &operation, epilogue.isFrozen ? dnnl_forward_inference : dnnl_forward_training, algorithm.raw, &s, &w,
        epilogue.hasBias ? $0 : nil, &d, pair(p.stride), pair(p.padding), pair(p.padding))
    })
    return try make(&operation, library, node: node, adds: epilogue.adds, rectifies: epilogue.rectifies)
  }

  static func convolutionSourceGradient(
    _ p: ConvolutionProblem, _ algorithm: ConvolutionAlgorithm, forward: PrimitiveDescriptor, _ library: Library, node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_convolution_desc_t(), s = p.source.raw, w = Descriptor.any(p.weights, p.number).raw, d = p.destination.raw
    try check("convolution_backward_data", node, unsafe dnnl_convolution_backward_data_desc_init(
      &operation, algorithm.raw, &s, &w, &d, pair(p.stride), pair(p.padding), pair(p.padding)))
    return try make(&operation, library, node: node, hint: forward)
  }

  /// The gradient is float32 whatever the activations are.
  static func convolutionWeightsGradient(
    _ p: ConvolutionProblem, _ algorithm: ConvolutionAlgorithm, forward: PrimitiveDescriptor, _ library: Library, node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_convolution_desc_t(), s = p.source.raw, w = Descriptor.any(p.weights, .float32).raw, d = p.destination.raw
    try check("convolution_backward_weights", node, unsafe dnnl_convolution_backward_weights_desc_init(
      &operation, algorithm.raw, &s, &w, nil, &d, pair(p.stride), pair(p.padding), pair(p.padding)))
    return try make(&operation, library, node: node, hint: forward)
  }

  private static func normalizationFlags(rectifies: Bool, given: Bool) -> UInt32 {
    UInt32(dnnl_use_scale.rawValue) | UInt32(dnnl_use_shift.rawValue)
      | (rectifies ? UInt32(dnnl_fuse_norm_relu.rawValue) : 0) | (given ? UInt32(dnnl_use_global_stats.rawValue) : 0)
  }

  static func normalization(
    _ data: Descriptor, epsilon: Double, rectifies: Bool, given: Bool, _ library: Library, node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_batch_normalization_desc_t(), d = data.raw
    try check("batch_normalization_forward", node, unsafe dnnl_batch_normalization_forward_desc_init(
      &operation, dnnl_forward_training, &d, Float(epsilon), normalizationFlags(rectifies: rectifies, given: given)))
    return try make(&operation, library, node: node)
  }

  static func normalizationGradient(
    _ data: Descriptor, epsilon: Double, rectifies: Bool, given: Bool, forward: PrimitiveDescriptor, _ library: Library, node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_batch_normalization_desc_t(), d = data.raw
    try check("batch_normalization_backward", node, unsafe dnnl_batch_normalization_backward_desc_init(
      &operation, dnnl_backward, &d, &d, Float(epsilon), normalizationFlags(rectifies: rectifies, given: given)))
    return try make(&operation, library, node: node, hint: forward)
  }

  enum PoolingMode {
    case maximum, averageOfPixels, averageWithPadding
    fileprivate var raw: dnnl_alg_kind_t {
      switch self {
      case .maximum: dnnl_pooling_max
      case .averageOfPixels: dnnl_pooling_avg_exclude_padding
      case .averageWithPadding: dnnl_pooling_avg_include_padding
      }
    }
  }

  static func pooling(
    _ mode: PoolingMode, _ source: Descriptor, _ destination: Descriptor, kernel: [Int], stride: [Int], padding: Int,
    outerPadding: [Int], _ library: Library, node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_pooling_desc_t(), s = source.raw, d = destination.raw
    try check("pooling_forward", node, unsafe dnnl_pooling_forward_desc_init(
      &operation, dnnl_forward_training, mode.raw, &s, &d,
      stride.map { dnnl_dim_t($0) }, kernel.map { dnnl_dim_t($0) }, pair(padding), outerPadding.map { dnnl_dim_t($0) }))
    return try make(&operation, library, node: node)
  }

  static func poolingGradient(
    _ mode: PoolingMode, _ source: Descriptor, _ destination: Descriptor, kernel: [Int], stride: [Int], padding: Int,
    outerPadding: [Int], forward: PrimitiveDescriptor, _ library: Library, node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_pooling_desc_t(), s = source.raw, d = destination.raw
    try check("pooling_backward", node, unsafe dnnl_pooling_backward_desc_init(
      &operation, mode.raw, &s, &d,
      stride.map { dnnl_dim_t($0) }, kernel.map { dnnl_dim_t($0) }, pair(padding), outerPadding.map { dnnl_dim_t($0) }))
    return try make(&operation, library, node: node, hint: forward)
  }

  enum Pairing { case add, multiply }

  static func binary(
    _ pairing: Pairing, _ a: Descriptor, _ b: Descriptor, _ destination: Descriptor, rectifies: Bool = false, _ library: Library, node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_binary_desc_t(), l = a.raw, r = b.raw, d = destination.raw
    try check("binary", node, unsafe dnnl_binary_desc_init(
      &operation, pairing == .add ? dnnl_binary_add : dnnl_binary_mul, &l, &r, &d))
    return try make(&operation, library, node: node, rectifies: rectifies)
  }

  static func rectifier(_ data: Descriptor, _ library: Library, node: String) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_eltwise_desc_t(), d = data.raw
    try check("eltwise_forward", node, unsafe dnnl_eltwise_forward_desc_init(
      &operation, dnnl_forward_training, dnnl_eltwise_relu_use_dst_for_bwd, &d, 0, 0))
    return try make(&operation, library, node: node)
  }

  static func rectifierGradient(_ data: Descriptor, forward: PrimitiveDescriptor, _ library: Library, node: String)
    throws(EngineError) -> PrimitiveDescriptor
  {
    var operation = dnnl_eltwise_desc_t(), d = data.raw
    try check("eltwise_backward", node, unsafe dnnl_eltwise_backward_desc_init(
      &operation, dnnl_eltwise_relu_use_dst_for_bwd, &d, &d, 0, 0))
    return try make(&operation, library, node: node, hint: forward)
  }

  static func scaling(_ data: Descriptor, by factor: Double, _ library: Library, node: String) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_eltwise_desc_t(), d = data.raw
    try check("eltwise_forward", node, unsafe dnnl_eltwise_forward_desc_init(
      &operation, dnnl_forward_training, dnnl_eltwise_linear, &d, Float(factor), 0))
    return try make(&operation, library, node: node)
  }

  static func matrixProduct(_ a: Descriptor, _ b: Descriptor, _ c: Descriptor, _ library: Library, node: String)
    throws(EngineError) -> PrimitiveDescriptor
  {
    var operation = dnnl_matmul_desc_t(), l = a.raw, r = b.raw, d = c.raw
    try check("matmul", node, unsafe dnnl_matmul_desc_init(&operation, &l, &r, nil, &d))
    return try make(&operation, library, node: node)
  }

  static func reorder(_ from: Descriptor, _ to: Descriptor, _ library: Library, node: String) throws(EngineError) -> PrimitiveDescriptor {
    var attributes: OpaquePointer?
    try check("primitive_attr_create", node, unsafe dnnl_primitive_attr_create(&attributes))
    defer { _ = unsafe dnnl_primitive_attr_destroy(attributes) }
    try check("set_scratchpad_mode", node, unsafe dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user))
    var raw: OpaquePointer?, source = from.raw, destination = to.raw
    try check("reorder", node, unsafe dnnl_reorder_primitive_desc_create(
      &raw, &source, library.engine, &destination, library.engine, attributes))
    guard let raw = unsafe raw else { throw .unsupported("oneDNN gave no reorder for \(node)") }
    return unsafe PrimitiveDescriptor(taking: raw, library)
  }
}
