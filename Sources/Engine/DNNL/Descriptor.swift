import CDNNL
import Tensors

/// How numbers lie in memory: extents, number type and layout.
@safe struct Descriptor: Equatable {
  enum Number { case float32, bfloat16 }

  private(set) var raw: dnnl_memory_desc_t

  init(raw: dnnl_memory_desc_t) { self.raw = raw }

  /// Row-major. A scalar is stored as one element along one axis.
  static func plain(_ shape: Shape, _ number: Number = .float32) -> Descriptor {
    let extents = shape.rank == 0 ? [1] : shape.extents
    var strides = [Int](repeating: 1, count: extents.count)
    for axis in (0..<extents.count - 1).reversed() { strides[axis] = strides[axis + 1] * max(1, extents[axis + 1]) }
    return strided(extents, strides, number)
  }

  /// Any strides, in elements.
  static func strided(_ extents: [Int], _ strides: [Int], _ number: Number = .float32) -> Descriptor {
    var md = dnnl_memory_desc_t()
    let status = unsafe dnnl_memory_desc_init_by_strides(
      &md, Int32(extents.count), padded(extents), number.raw, padded(strides))
    precondition(status == dnnl_success, "oneDNN refuses extents \(extents) with strides \(strides)")
    return Descriptor(raw: md)
  }

  /// `[N,C,H,W]` in blocks of 16 channels, `[N,⌈C/16⌉,H,W,16]`; the last block is filled up with zeros.
  static func blocked(_ shape: Shape, _ number: Number) -> Descriptor { tagged(shape, number, dnnl_nChw16c) }

  /// A kernel `[O,C,K,K]` in blocks of 16 maps and, from 16 channels on, 16 channels: `[O/16,C/16,K,K,16 of C,16 of O]` or `[O/16,C,K,K,16]`.
  static func blockedKernel(_ shape: Shape) -> Descriptor {
    tagged(shape, .float32, shape[1] < 16 ? dnnl_Oihw16o : dnnl_OIhw16i16o)
  }

  /// `[N,C,H,W]` stored as `[N,H,W,C]`.
  static func channelsLast(_ shape: Shape, _ number: Number) -> Descriptor { tagged(shape, number, dnnl_nhwc) }

  /// Layout left to the primitive.
  static func any(_ shape: Shape, _ number: Number) -> Descriptor { tagged(shape, number, dnnl_format_tag_any) }

  private static func tagged(_ shape: Shape, _ number: Number, _ tag: dnnl_format_tag_t) -> Descriptor {
    var md = dnnl_memory_desc_t()
    let status = unsafe dnnl_memory_desc_init_by_tag(&md, Int32(shape.rank), padded(shape.extents), number.raw, tag)
    precondition(status == dnnl_success, "oneDNN refuses shape \(shape)")
    return Descriptor(raw: md)
  }

  /// The same layout holding another number type.
  func holding(_ number: Number) -> Descriptor {
    var copy = self
    copy.raw.data_type = number.raw
    return copy
  }

  var number: Number { raw.data_type == dnnl_bf16 ? .bfloat16 : .float32 }

  var byteCount: Int {
    var md = raw
    return unsafe dnnl_memory_desc_get_size(&md)
  }

  static func == (a: Descriptor, b: Descriptor) -> Bool {
    var left = a.raw, right = b.raw
    return unsafe dnnl_memory_desc_equal(&left, &right) != 0
  }

  /// `dnnl_dims_t` has twelve places.
  private static func padded(_ numbers: [Int]) -> [dnnl_dim_t] {
    numbers.map { dnnl_dim_t($0) } + Array(repeating: 0, count: 12 - numbers.count)
  }
}

extension Descriptor.Number {
  var raw: dnnl_data_type_t {
    switch self {
    case .float32: dnnl_f32
    case .bfloat16: dnnl_bf16
    }
  }
}
