import CDNNL

// Primitives of layers that only some networks have.
extension PrimitiveDescriptor {
  static func responseNormalization(
    _ data: Descriptor, size: Int, alpha: Double, beta: Double, k: Double, _ library: Library, node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_lrn_desc_t(), d = data.raw
    try check("lrn_forward", node, unsafe dnnl_lrn_forward_desc_init(
      &operation, dnnl_forward_training, dnnl_lrn_across_channels, &d, dnnl_dim_t(size), Float(alpha), Float(beta), Float(k)))
    return try make(&operation, library, node: node)
  }

  static func responseNormalizationGradient(
    _ data: Descriptor, size: Int, alpha: Double, beta: Double, k: Double, forward: PrimitiveDescriptor, _ library: Library,
    node: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_lrn_desc_t(), d = data.raw
    try check("lrn_backward", node, unsafe dnnl_lrn_backward_desc_init(
      &operation, dnnl_lrn_across_channels, &d, &d, dnnl_dim_t(size), Float(alpha), Float(beta), Float(k)))
    return try make(&operation, library, node: node, hint: forward)
  }

  /// `min(limit, max(0, x))`.
  static func clip(_ data: Descriptor, at limit: Float, _ library: Library, node: String) throws(EngineError) -> PrimitiveDescriptor {
    var operation = dnnl_eltwise_desc_t(), d = data.raw
    try check("eltwise_forward", node, unsafe dnnl_eltwise_forward_desc_init(
      &operation, dnnl_forward_training, dnnl_eltwise_clip_v2_use_dst_for_bwd, &d, 0, limit))
    return try make(&operation, library, node: node)
  }

  /// The gradient where `0 < y < limit`, else 0.
  static func clipGradient(_ data: Descriptor, at limit: Float, _ library: Library, node: String) throws(EngineError) -> PrimitiveDescriptor {
    let hint = try clip(data, at: limit, library, node: node)
    var operation = dnnl_eltwise_desc_t(), d = data.raw
    try check("eltwise_backward", node, unsafe dnnl_eltwise_backward_desc_init(
      &operation, dnnl_eltwise_clip_v2_use_dst_for_bwd, &d, &d, 0, limit))
    return try make(&operation, library, node: node, hint: hint)
  }
}
