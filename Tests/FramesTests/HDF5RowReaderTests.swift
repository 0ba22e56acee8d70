import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

/// Rows as the HDF5 library reads them: the judge of the direct way.
private func library<Number: HDF5Number>(_ path: String, _ rows: Range<Int>, as type: Number.Type) throws -> [Number] {
  let file = try HDF5File(opening: path), values: [Number] = try file.dataset("/data").values(rows: rows)
  try file.close()
  return values
}

/// Numbers with long runs and noise, so that deflate has something to do and something it cannot do.
private func numbers<Number: HDF5Number & BinaryInteger>(_ count: Int, seed: UInt64, as type: Number.Type) -> [Number] {
  var random = Philox(seed: seed)
  return (0..<count).map { Number(truncatingIfNeeded: $0 / 7 % 3 == 0 ? 5 : random.next()) }
}

private func write<Number: HDF5Number>(_ values: [Number], _ shape: Shape, _ layout: HDF5Layout, to path: String) throws {
  let file = try HDF5File(creating: path)
  try file.write(values, shape: shape, to: "/data", layout: layout)
  try file.close()
}

@Suite struct HDF5RowReaderTests {
  static let pipelines: [(shuffle: Bool, deflate: Int?)] = [(false, nil), (true, nil), (false, 1), (true, 4), (true, 9)]
  /// Shapes with chunks that divide them, that do not, that hold several rows, and of one axis.
  static let shapes: [(Shape, Shape)] = [
    ([6, 10, 12], [1, 10, 12]), ([7, 10, 12], [3, 10, 12]), ([7, 11, 13], [2, 4, 5]), ([5, 3, 4, 6], [2, 3, 3, 4]), ([40], [7]), ([9, 1], [4, 1]),
  ]

  @Test(arguments: shapes.indices, pipelines.indices) func rowsAreThoseOfTheLibrary(shape: Int, pipeline: Int) throws {
    let scratch = Scratch(), (extents, chunk) = Self.shapes[shape], (shuffle, deflate) = Self.pipelines[pipeline]
    func check<Number: HDF5Number & BinaryInteger>(_ type: Number.Type) throws {
      let path = scratch.file("\(type).h5")
      try write(
        numbers(extents.count, seed: UInt64(shape), as: type), extents,
        .chunked(chunk, shuffle: shuffle, deflate: deflate, isGrowable: false), to: path)
      for keepsOpen in [true, false] {
        let reader = try HDF5RowReader<Number>(opening: path, dataset: "/data", keepsOpen: keepsOpen)
        #expect(reader.libraryReason == nil && reader.shape == extents)
        for low in 0..<extents[0] {
          #expect(try reader.row(low) == library(path, low..<low + 1, as: type))
          for high in low...extents[0] { #expect(try reader.rows(low..<high) == library(path, low..<high, as: type)) }
        }
      }
    }
    try check(UInt8.self)
    try check(UInt16.self)
    try check(Int32.self)
    try check(UInt64.self)
  }

  @Test func realsKeepTheirBits() throws {
    let scratch = Scratch(), path = scratch.file("a.h5")
    var random = Philox(seed: 5)
    let values = (0..<4 * 35).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
    try write(values, [4, 5, 7], .chunked([1, 5, 7]), to: path)
    let reader = try HDF5RowReader<Float>(opening: path, dataset: "/data")
    #expect(try reader.rows(0..<4).map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test func whatIsNotDecodedHereComesFromTheLibraryAndSaysWhy() throws {
    let scratch = Scratch(), path = scratch.file("a.h5"), values = numbers(60, seed: 1, as: Int16.self)
    try write(values, [6, 10], .contiguous, to: path)
    let reader = try HDF5RowReader<Int16>(opening: path, dataset: "/data")
    #expect(reader.libraryReason == "it is not chunked")
    #expect(try reader.rows(2..<5) == Array(values[20..<50]))
    let error = #expect(throws: InputError.self) { try HDF5RowReader<Float>(opening: path, dataset: "/data") }
    #expect(error?.expected == "elements of type float32" && error?.place == "/data")
    #expect(throws: InputError.self) { try HDF5RowReader<Int16>(opening: path, dataset: "/nothing") }
  }

  @Test func manyThreadsReadTheSame() throws {
    let scratch = Scratch(), path = scratch.file("a.h5"), values = numbers(200 * 64, seed: 3, as: UInt16.self)
    try write(values, [200, 8, 8], .chunked([1, 8, 8]), to: path)
    let reader = try HDF5RowReader<UInt16>(opening: path, dataset: "/data")
    let rows = try (0..<2000).concurrentMap { index throws(InputError) in try reader.row(index % 200) }
    for (index, row) in rows.enumerated() { #expect(row == Array(values[index % 200 * 64..<(index % 200 + 1) * 64])) }
  }

  @Test func aChunkThatWasNeverWrittenIsNamed() throws {
    let scratch = Scratch(), path = scratch.file("a.h5"), file = try HDF5File(creating: path)
    let dataset = try file.makeDataset("/data", element: .uint16, shape: [4, 3], layout: .chunked([1, 3], isGrowable: false))
    try dataset.write([1, 2, 3] as [UInt16], at: 0)
    try file.close()
    let reader = try HDF5RowReader<UInt16>(opening: path, dataset: "/data")
    #expect(try reader.row(0) == [1, 2, 3])
    let error = #expect(throws: InputError.self) { try reader.row(2) }
    #expect(error?.path == path && error?.place == "/data, chunk at [2, 0]" && error?.found.contains("never written") == true)
  }

  /// Every byte of the file in turn, and every length: rows or one error, never anything else. Damage within a compressed
  /// chunk is always found, since the stream carries a checksum, and names its chunk.
  @Test func damagedChunksAreNamedAndNothingCrashes() throws {
    let scratch = Scratch(), path = scratch.file("a.h5"), damaged = scratch.file("b.h5")
    let values = numbers(6 * 40, seed: 9, as: UInt32.self)
    try write(values, [6, 5, 8], .chunked([2, 5, 8], isGrowable: false), to: path)
    let intact = [UInt8](try AtomicFile.read(path))
    /// The row that each error was met at, and how many readings succeeded.
    func read(_ bytes: [UInt8]) throws -> (right: Int, errors: [InputError]) {
      try Data(bytes).write(to: URL(fileURLWithPath: damaged))
      var right = 0, errors: [InputError] = []
      do throws(InputError) {
        let reader = try HDF5RowReader<UInt32>(opening: damaged, dataset: "/data")
        guard reader.shape == [6, 5, 8] else { return (0, []) }
        for row in 0..<6 {
          do throws(InputError) { right += try reader.row(row) == Array(values[row * 40..<row * 40 + 40]) ? 1 : 0 } catch { errors.append(error) }
        }
      } catch { errors.append(error) }
      for error in errors { #expect(error.path == damaged && !error.expected.isEmpty && !error.found.isEmpty) }
      return (right, errors)
    }
    #expect(try read(intact) == (6, []))
    // A zlib stream begins with 78 and a second byte that makes both a multiple of 31.
    let streams = intact.indices.dropLast().filter { intact[$0] == 0x78 && (0x7800 + Int(intact[$0 + 1])) % 31 == 0 && intact[$0 + 1] > 1 }
    #expect(streams.count >= 3)
    var named = 0
    for place in intact.indices {
      var bytes = intact
      bytes[place] ^= 0x10
      let (right, errors) = try read(bytes)
      let places = Set(errors.map(\.place).filter { $0.hasPrefix("/data, chunk at [") })
      if right == 4 && errors.count == 2 && places.count == 1 { named += 1 }
    }
    // At least the three streams' own bytes.
    #expect(named > 300, "\(named)")
    for length in stride(from: 0, to: intact.count, by: 37) { #expect(try read(Array(intact[..<length])).right < 6) }
  }

  @Test func aStreamOfAnotherLengthSaysBoth() throws {
    let scratch = Scratch(), path = scratch.file("a.h5")
    try write(numbers(30, seed: 2, as: UInt16.self), [3, 10], .chunked([1, 10], shuffle: false, deflate: 6, isGrowable: false), to: path)
    // The chunk's stream is found by its first bytes and replaced by one of fewer and one of more bytes, none of them longer.
    let intact = [UInt8](try AtomicFile.read(path))
    let start = try #require(intact.indices.dropLast().first { intact[$0] == 0x78 && intact[$0 + 1] == 0x9C })
    let short: [UInt8] = [0x78, 0x9C, 0x01, 5, 0, 250, 255, 1, 2, 3, 4, 5, 0x00, 0x28, 0x00, 0x10]
    let long: [UInt8] = [120, 156, 99, 96, 24, 30, 0, 0, 0, 200, 0, 1]  // zlib.compress(bytes(200))
    for (stream, found) in [(short, "a stream of 5 bytes"), (long, "a stream of more bytes")] {
      var bytes = intact
      bytes.replaceSubrange(start..<start + stream.count, with: stream)
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: InputError.self) { try HDF5RowReader<UInt16>(opening: path, dataset: "/data").row(0) }
      #expect(error?.place == "/data, chunk at [0, 0]" && error?.expected == "a deflate stream of 20 bytes" && error?.found == found)
    }
  }

  /// Files that Tests/Peers/write_h5py.py made, where they are.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["PSIMAGENET_H5PY"] != nil)) func filesOfH5pyAreReadToTheSameNumbers() throws {
    let folder = try #require(ProcessInfo.processInfo.environment["PSIMAGENET_H5PY"])
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".h5") }.sorted()
    #expect(!files.isEmpty)
    func check<Number: HDF5Number & Equatable>(_ path: String, _ type: Number.Type) throws {
      let file = try HDF5File(opening: path), plain: [Number] = try file.dataset("/plain").values()
      let direct = try file.attribute("direct", of: "/data")
      try file.close()
      let reader = try HDF5RowReader<Number>(opening: path, dataset: "/data"), count = reader.shape[0], row = plain.count / count
      #expect(direct == .integer(reader.libraryReason == nil ? 1 : 0), "\(path): \(reader.libraryReason ?? "direct")")
      #expect(try reader.rows(0..<count) == plain, "\(path)")
      #expect(try reader.rows(3..<11) == Array(plain[3 * row..<11 * row]), "\(path)")
    }
    for name in files {
      if name.hasPrefix("u2") { try check("\(folder)/\(name)", UInt16.self) } else { try check("\(folder)/\(name)", Float.self) }
    }
  }
}
