import Host
import Tensors

/// What TimeToolConfig v1...v3 says of the sizes and meaning of TimeToolData. Source: psddldata `timetool.ddl`.
struct XTC1TimeToolConfiguration {
  /// Arrays of i32 that follow the six numbers, in file order.
  let arrays: [(name: String, shape: Shape)]
  /// v3: the six numbers begin with the four parameters of a fitted edge.
  let usesFit: Bool

  init(_ configuration: Payload.Configuration, path: String) throws(InputError) {
    let record = BinaryRecord(configuration, path: path)
    let version = configuration.version
    guard (1...3).contains(version) else { throw record.error(at: 0, "TimeToolConfig v1...v3", "v\(version)") }
    let control = version == 3 ? try record.uint64(0) : UInt64(try record.uint32(0))
    func bit(_ place: UInt64) -> Bool { control >> place & 1 == 1 }
    let alongY = bit(0)
    usesFit = version == 3 && bit(2)
    let full = version == 3 && bit(1)
    let (writes, sideband, reference) =
      version == 3 ? (bit(4), bit(5), true) : (bit(2), bit(3), version == 2 && bit(4))
    let roi = version == 3 ? 28 : 12
    /// Columns and rows of the region whose first corner stands at `offset`: u16 column, row; the last is included.
    func region(_ offset: Int) throws(InputError) -> (columns: Int, rows: Int) {
      let columns = Int(try record.uint16(offset + 4)) - Int(try record.uint16(offset)) + 1
      let rows = Int(try record.uint16(offset + 6)) - Int(try record.uint16(offset + 2)) + 1
      guard columns >= 1, rows >= 1 else {
        throw record.error(at: offset, "a region whose end is not before its start", "\(columns) columns, \(rows) rows")
      }
      return (columns, rows)
    }
    var arrays: [(name: String, shape: Shape)] = []
    if writes {
      let kept: [(String, Int)] =
        [("signal", roi)] + (sideband ? [("sideband", roi + 8)] : [])
        + (reference ? [("reference", roi + 24)] : [])
      for (name, offset) in kept {
        let (columns, rows) = try region(offset)
        arrays.append((name, full ? [rows, columns] : [alongY ? rows : columns]))
      }
    }
    self.arrays = arrays
  }
}

/// What the time tool of the data acquisition found in its camera's picture: TimeToolData v1...v3.
enum XTC1TimeTool {
  private static let fields = ["amplitude", "position_px", "position_ps", "fwhm_px", "referenceAmplitude", "nextAmplitude"]
  private static let fitFields = ["fitA", "fitB", "fitC", "fitD", "referenceAmplitude", "nextAmplitude"]

  /// Adds the event's kind (0 dark, 1 reference, 2 signal) and numbers as scalars, and the projections as payloads
  /// `<source>/timeTool.signal`, `.sideband`, `.reference` of i32.
  static func collect(
    _ leaf: XTC1Leaf, alias: String, configuration: Payload.Configuration?, into event: inout Event, skipped: inout [String: Int]
  ) throws(InputError) {
    let payload = leaf.payload, version = Int(leaf.type.version)
    guard let configuration, configuration.version == version else {
      guard version < 3 else {
        skipped["\(leaf.type) without its configuration", default: 0] += 1
        return
      }
      try numbers(leaf, fields, &event)
      if payload.count > 56 { skipped["projections of \(leaf.type) without its configuration", default: 0] += 1 }
      return
    }
    let parsed = try XTC1TimeToolConfiguration(configuration, path: payload.path)
    try numbers(leaf, parsed.usesFit ? fitFields : fields, &event)
    var offset = 56
    for (name, shape) in parsed.arrays {
      let part = try payload.part(offset, count: 4 * shape.count, "projected \(name)")
      event.payloads.append(
        Payload(
          info: PayloadInfo(
            source: "\(leaf.source)/timeTool.\(name)", alias: alias.isEmpty ? "" : "\(alias)/timeTool.\(name)",
            typeName: leaf.type.name, version: version, element: .int32, shape: shape),
          bytes: part.array(), configuration: configuration))
      offset += part.count
    }
  }

  private static func numbers(_ leaf: XTC1Leaf, _ names: [String], _ event: inout Event) throws(InputError) {
    event.scalars["\(leaf.source)/timeTool.eventType"] = Double(try leaf.payload.uint32(0))
    for (place, name) in names.enumerated() {
      event.scalars["\(leaf.source)/timeTool.\(name)"] = try leaf.payload.double(8 + 8 * place)
    }
  }
}
