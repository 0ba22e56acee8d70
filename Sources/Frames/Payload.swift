import Tensors

/// How numbers are stored in a payload.
public enum ElementType: String, Codable, Sendable {
  case uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, float64
  /// A packed record whose layout only the detector knows.
  case record

  /// Bytes per element; 1 for a record.
  public var size: Int {
    switch self {
    case .uint8, .int8, .record: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }
}

/// What a container knows about a payload without decoding it: enough to choose the detector that can.
public struct PayloadInfo: Hashable, Codable, Sendable {
  /// `CxiDs1.0:Cspad.0` (XTC1), `jungfrau/raw/raw` (XTC2), a dataset path (HDF5), an array key (NPZ), or empty (one picture a file).
  public var source: String
  /// What the run's AliasConfig calls the source, such as `TSS_OPAL` (XTC1); empty where it has no other name.
  public var alias: String
  /// `CspadElement`, `Frame` (XTC1); the detector type, `jungfrau` (XTC2); `dataset`, `npy`, `png`, `jpeg`.
  public var typeName: String
  /// Schema version; for XTC2 major·65536 + minor·256 + micro.
  public var version: Int
  public var element: ElementType
  /// The stored extents, outermost first; for a record `[byte count]`.
  public var shape: Shape

  public init(source: String, alias: String = "", typeName: String, version: Int = 0, element: ElementType, shape: Shape) {
    self.source = source
    self.alias = alias
    self.typeName = typeName
    self.version = version
    self.element = element
    self.shape = shape
  }

  /// Whether the source's own name or its alias contains `text`.
  public func isNamed(_ text: String) -> Bool { source.contains(text) || alias.contains(text) }
}

/// A stored record of one detector in one event, little-endian, exactly as in the file.
public struct Payload: Sendable {
  public var info: PayloadInfo
  public var bytes: [UInt8]
  /// The record with which the run configured this detector, where there is one.
  public var configuration: Configuration?

  public struct Configuration: Hashable, Sendable {
    public var typeName: String
    public var version: Int
    public var bytes: [UInt8]
    public init(typeName: String, version: Int, bytes: [UInt8]) {
      self.typeName = typeName
      self.version = version
      self.bytes = bytes
    }
  }

  public init(info: PayloadInfo, bytes: [UInt8], configuration: Configuration? = nil) {
    self.info = info
    self.bytes = bytes
    self.configuration = configuration
  }
}
