import Foundation
import Host
import Tensors

/// Reads the pictures of a level 5 MATLAB file (`save` without `-v7.3`, and what LCLS camera tools write).
///
/// A structure array with pictures in its field `img` (else its largest field of two axes and more) gives one event an element;
/// its single numbers and texts go with the event, `pulseId` as the fiducial. Where there is no such structure, each numeric
/// variable of two axes and more than one row and column is a picture, and single numbers go with all of them. `[H,W,N]`, as
/// MATLAB lays out films, gives N events; `[H,W,3]` is one picture in colour. What holds no picture is passed over and counted.
///
/// Source of the camera structure: profmon of the LCLS controls tools (`img, name, ts, pulseId, roiX, roiY, bitdepth, res, back`):
/// `ts` is MATLAB's day number in local time, `res` µm per pixel.
public final class MATLABReader: EventReader {
  public static let container = "matlab"

  public static func recognizes(head: [UInt8], path: String) -> Bool { head.starts(with: Array("MATLAB 5.0".utf8)) }

  public private(set) var skipped: [String: Int] = [:]
  private var events: [Event] = []
  private var index = 0

  private static let units = ["ts": "days", "res": "um", "bitdepth": "bits"]
  /// Pulse numbers of LCLS-I; 131071 stands for none.
  private static let pulseCount: Double = 131_040

  public init(opening path: String) throws(InputError) {
    let variables = try MATLABParser.variables([UInt8](AtomicFile.read(path)), path: path)
    for (name, value) in variables {
      guard case .structures(let elements) = value else { continue }
      for fields in elements { add(fields, name) }
    }
    if events.isEmpty { addVariables(variables) }
    guard !events.isEmpty else {
      throw InputError(
        path: path, place: "variables", expected: "a picture: numbers with more than one row and column",
        found: variables.isEmpty ? "no variables" : variables.map { $0.name.debugDescription }.joined(separator: ", "))
    }
  }

  /// Whether a value can be a picture, and of how many numbers.
  private func size(_ value: MATLABValue) -> Int? {
    guard case .numbers(_, let shape, _) = value, shape.rank <= 3, shape[0] > 1, shape[1] > 1, shape.count > 0 else { return nil }
    return shape.count
  }

  private func add(_ fields: [String: MATLABValue], _ name: String) {
    let candidates = fields.sorted { $0.key < $1.key }.compactMap { key, value in size(value).map { (key: key, size: $0) } }
    guard let largest = candidates.max(by: { $0.size < $1.size }) else {
      skipped["structure \(name) without pictures", default: 0] += 1
      return
    }
    let chosen = candidates.contains { $0.key == "img" } ? "img" : largest.key
    var header = HeaderFields(), fiducial: UInt32 = 0
    for (key, value) in fields where key != chosen {
      switch value {
      case .text(let text): header.add(key, text)
      case .numbers(let element, let shape, let bytes) where shape.count == 1:
        let number = element.doubles(littleEndian: bytes)[0]
        header.scalars[Self.units[key].map { "\(key)_\($0)" } ?? key] = number
        if key == "pulseId", number >= 0, number < Self.pulseCount { fiducial = UInt32(number) }
      default: skipped["field \(name).\(key)", default: 0] += 1
      }
    }
    if let value = fields[chosen] { add(value, "\(name)/\(chosen)", header, fiducial) }
  }

  private func addVariables(_ variables: [(name: String, value: MATLABValue)]) {
    var header = HeaderFields()
    for (name, value) in variables {
      switch value {
      case .numbers(let element, let shape, let bytes) where shape.count == 1:
        header.scalars[name] = element.doubles(littleEndian: bytes)[0]
      case .text(let text): header.add(name, text)
      default: break
      }
    }
    for (name, value) in variables {
      if size(value) != nil {
        add(value, name, header, 0)
      } else if case .numbers(_, let shape, _) = value, shape.count != 1 {
        skipped["variable \(name) \(shape)"] = 1
      } else if case .other(let kind) = value {
        skipped["variable \(name) (\(kind))"] = 1
      }
    }
  }

  private func add(_ value: MATLABValue, _ source: String, _ header: HeaderFields, _ fiducial: UInt32) {
    guard case .numbers(let element, let shape, let bytes) = value else { return }
    let isFilm = shape.rank == 3 && shape[2] != 3, frames = isFilm ? shape[2] : 1
    let frame = isFilm ? Shape(Array(shape.extents.prefix(2))) : shape, size = bytes.count / frames
    for number in 0..<frames {
      let columnMajor = Array(bytes[number * size..<(number + 1) * size])
      let picture = StoredPicture(
        source: source, element: element, shape: frame, bytes: NPYArray.rowMajor(columnMajor, frame, size: element.size), header: header)
      events.append(Event(picture: picture, typeName: "matlab", index: events.count, fiducial: fiducial))
    }
  }

  public func next() throws(InputError) -> Event? {
    guard index < events.count else { return nil }
    defer { index += 1 }
    return events[index]
  }
}
