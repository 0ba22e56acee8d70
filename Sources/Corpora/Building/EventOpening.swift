import Frames
import Host
import Tensors

extension SourceRecipe {
  /// Opens one raw file of this source.
  func open(_ path: String) throws(InputError) -> any EventReader {
    let r = try TemporaryStackReader(opening: path)
    return r
  }
}
final class TemporaryStackReader: EventReader {
  static var container: String { "hdf5" }
  static func recognizes(head: [UInt8], path: String) -> Bool { true }
  let file: HDF5File
  let data: HDF5Dataset
  var i = 0
  init(opening path: String) throws(InputError) {
    file = try HDF5File(opening: path)
    data = try file.dataset("/images")
  }
  func next() throws(InputError) -> Event? {
    guard i < data.shape[0], case .number(let element) = data.element else { return nil }
    defer { i += 1 }
    return Event(
      id: EventID(run: 0, seconds: 0, nanoseconds: 0), index: i,
      payloads: [Payload(info: PayloadInfo(source: "/images", typeName: "dataset", element: element, shape: Shape(Array(data.shape.extents.dropFirst()))), bytes: try data.bytes(row: i))])
  }
  var skipped: [String: Int] { [:] }
}
