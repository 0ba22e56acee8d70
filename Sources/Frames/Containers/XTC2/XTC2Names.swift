import Host
import Tensors

/// What one Names record of XTC2 (LCLS-II) says: a detector, an algorithm, and the fields that its data carry.
struct XTC2Names {
  struct Field {
    var name: String
    var type: FieldType
    var rank: Int
  }

  /// The element types of fields, by code.
  enum FieldType: UInt32 {
    case uint8, uint16, uint32, uint64, int8, int16, int32, int64, float32, float64, char, enumValue, enumDictionary

    var element: ElementType {
      switch self {
      case .uint8, .char: .uint8
      case .uint16: .uint16
      case .uint32: .uint32
      case .uint64: .uint64
      case .int8: .int8
      case .int16: .int16
      case .int32, .enumValue, .enumDictionary: .int32
      case .int64: .int64
      case .float32: .float32
      case .float64: .float64
      }
    }
  }

  var detectorType: String
  var detector: String
  var detectorID: String
  var algorithm: String
  /// major·65536 + minor·256 + micro.
  var version: Int
  var segment: Int
  var fields: [Field]

  private static let headerSize = 1036
  private static let fieldSize = 524

  /// Parses the payload of a Names record. Source: xtcdata `ShapesData.hh`.
  init(_ record: BinaryRecord) throws(InputError) {
    detectorType = try record.text(4, count: 256)
    detector = try record.text(260, count: 256)
    detectorID = try record.text(516, count: 256)
    algorithm = try record.text(772, count: 256)
    version = try record.size(1028)
    segment = try record.size(1032)
    fields = []
    for place in 0..<(record.count - Self.headerSize) / Self.fieldSize {
      let start = Self.headerSize + place * Self.fieldSize
      var name = try record.text(start + 260, count: 256)
      guard let type = FieldType(rawValue: try record.uint32(start + 516)) else {
        throw record.error(at: start + 516, "a field type from 0 to 12", "\(try record.uint32(start + 516))")
      }
      let rank = try record.size(start + 520)
      guard rank <= 5 else { throw record.error(at: start + 520, "a rank up to 5", "\(rank)") }
      // Enumerated fields are named `field:enumeration`.
      if type == .enumValue || type == .enumDictionary, let colon = name.lastIndex(of: ":") { name = String(name[..<colon]) }
      fields.append(Field(name: name, type: type, rank: rank))
    }
  }

  /// `jungfrau/raw/raw`.
  func path(of field: Field) -> String { "\(detector)/\(algorithm)/\(field.name)" }
}

/// One field's value in one datagram.
struct XTC2Value {
  let field: XTC2Names.Field
  /// The extents; `[]` for a single value.
  let shape: Shape
  let bytes: BinaryRecord

  /// The number of a rank-0 field.
  var number: Double { field.type.element.doubles(littleEndian: bytes.array())[0] }

  /// Cuts the data of one ShapesData record into its fields. The children Shapes and Data stand in either order; Shapes may
  /// carry bytes after its whole entries of 5 x u32, and may be absent where no field has a shape.
  static func values(of names: XTC2Names, in record: BinaryRecord) throws(InputError) -> [XTC2Value] {
    var shapes: BinaryRecord?
    var data: BinaryRecord?
    var offset = 0
    while offset < record.count {
      let child = try XTC2Record(at: offset, in: record)
      switch child.type {
      case .shapes: shapes = child.payload
      case .data: data = child.payload
      default: break
      }
      offset += child.extent
    }
    guard let data else { throw record.error(at: 0, "a Data record", "none") }
    var values: [XTC2Value] = []
    var position = 0, array = 0
    for field in names.fields {
      var shape = Shape([])
      if field.rank > 0 {
        guard let shapes else { throw record.error(at: 0, "a Shapes record for \(field.name)", "none") }
        for axis in 0..<field.rank { shape.extents.append(try shapes.size(20 * array + 4 * axis)) }
        array += 1
      }
      let (size, overflow) = (shape.checkedCount ?? Int.max).multipliedReportingOverflow(by: field.type.element.size)
      guard !overflow else { throw data.error(at: position, "a shape that fits in memory", "\(shape)") }
      values.append(XTC2Value(field: field, shape: shape, bytes: try data.part(position, count: size, names.path(of: field))))
      position += size
    }
    return values
  }
}
