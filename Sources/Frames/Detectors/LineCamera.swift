import Host
import Tensors

/// A line camera, such as the LCLS-II time tool's Piranha of 2048 pixels: one row an event, `[2048] -> [1,1,2048]`.
/// Signal: ADU.
///
/// Recognised: rows of u8 or u16 whose width is a multiple of 512. The LCLS-II time tool instead stores the packet of its
/// firmware's event batcher, in which the row is one of several frames and most events have none: a recipe that names this
/// detector reads those too; `frame(inPacket:path:)` tells beforehand whether there is a row.
public struct LineCamera: Detector {
  public static let name = "linecamera"

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    isRow(info) && info.shape[0] > 0 && info.shape[0] % 512 == 0
  }

  private static func isRow(_ info: PayloadInfo) -> Bool {
    (info.element == .uint8 || info.element == .uint16) && info.shape.rank == 1
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    guard isRow(payload.info) else {
      throw InputError(
        path: path, place: payload.info.source, expected: "one row of u8 or u16", found: "\(payload.info.element) \(payload.info.shape)")
    }
    if recognizes(payload.info) { return Tensor([1, 1, payload.info.shape[0]], try NumericArray.decode(payload, path: path)) }
    guard let row = try frame(inPacket: payload, path: path) else {
      throw InputError(path: path, place: payload.info.source, expected: "a packet with a camera row", found: "one without")
    }
    return Tensor([1, 1, row.count], row.map { Float($0) })
  }

  /// The camera row in a packet of the time tool's event batcher, or `nil` where this event has none.
  ///
  /// A batch is 16 bytes of header, then frames, each followed by a tail of 16 bytes: u32 size, u8 destination. Destination 2 is
  /// the row; 0 is timing and 1 what the firmware computed. Source: lcls2 psana eventBuilderParser, read against a TMO run.
  public static func frame(inPacket payload: Payload, path: String) throws(InputError) -> [UInt8]? {
    let record = BinaryRecord(payload, path: path)
    return try frames(record).first { $0.destination == 2 && $0.record.count > 0 }?.record.array()
  }

  /// The frames of a batch, last first: tails are read from the end.
  private static func frames(_ batch: BinaryRecord) throws(InputError) -> [(destination: UInt8, record: BinaryRecord)] {
    var end = batch.count, found: [(destination: UInt8, record: BinaryRecord)] = []
    while end > 16 {
      let size = try batch.size(end - 16), destination = try batch.uint8(end - 12)
      // Frames are padded to whole words of 16 bytes.
      guard size <= end - 32 else { throw batch.error(at: end - 16, "a frame of at most \(end - 32) bytes", "\(size)") }
      let start = end - 16 - (size + 15) / 16 * 16
      found.append((destination, try batch.part(start, count: size, "frame \(destination)")))
      end = start
    }
    guard end == 16 else { throw batch.error(at: 0, "a batch header of 16 bytes", "\(end)") }
    return found
  }

  public static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    try CameraFrame.calibrate(raw, constants, path: path)
  }

  /// The rows of consecutive events as one picture, time downwards: N of `[1,1,W]` -> `[1,N,W]`.
  /// Traps when empty or of unequal widths.
  public static func stacked(_ rows: [Tensor<Float>]) -> Tensor<Float> {
    guard let first = rows.first else { preconditionFailure("nothing to stack") }
    precondition(rows.allSatisfy { $0.shape == first.shape && $0.shape.rank == 3 && $0.shape[1] == 1 }, "rows of one width are stacked")
    return Tensor([1, rows.count, first.shape[2]], rows.flatMap(\.elements))
  }
}
