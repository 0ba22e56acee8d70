import Foundation
import Frames
import Tensors
import TestSupport

/// Small files of each container, built by hand from the tables of the formats.
enum SampleFiles {
  static func le<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * T($0))) }
  }
  static func le(_ values: [Double]) -> [UInt8] { values.flatMap { le($0.bitPattern) } }

  // MARK: XTC1

  static func xtc1(type: UInt32, log: UInt32 = 0x0100_0000, phy: UInt32 = 0, damage: UInt32 = 0, _ payload: [UInt8]) -> [UInt8] {
    le(damage) + le(log) + le(phy) + le(type) + le(UInt32(20 + payload.count)) + payload
  }

  static func datagram1(_ service: UInt32, seconds: UInt32, fiducial: UInt32 = 0, env: UInt32 = 0, _ leaves: [[UInt8]]) -> [UInt8] {
    let segment = xtc1(type: 1, log: 0x0200_0001, leaves.flatMap { $0 })
    return le(seconds * 7) + le(seconds) + le(service << 24 | 5) + le(fiducial) + le(env)
      + xtc1(type: 1, log: 0x0300_0000, segment)
  }

  static let opal: UInt32 = 0x1600_0301

  /// A 4x3 Frame of depth 12 whose pixel i is `base` + i.
  static func frame(_ base: UInt16) -> [UInt8] {
    le(4 as UInt32) + le(3 as UInt32) + le(12 as UInt32) + le(32 as UInt32) + (0..<12).flatMap { le(base + UInt16($0)) }
  }

  static func eBeam(mask: UInt32) -> [UInt8] { le(mask) + le((0..<20).map { Double($0) + 0.25 }) }

  static let xtc1: [UInt8] =
    datagram1(4, seconds: 1000, [xtc1(type: 0x0001_0006, phy: opal, [1, 2, 3, 4, 5, 6, 7, 8])])
    + datagram1(6, seconds: 1001, env: 42, [])
    + datagram1(
      12, seconds: 1002, fiducial: 6,
      [
        xtc1(type: 0x0001_0002, phy: opal, frame(100)),
        xtc1(type: 0x0007_000F, log: 0x0600_0000, phy: 0, eBeam(mask: 0)),
        xtc1(type: 0x0001_000E, log: 0x0600_0000, phy: 2, le([1, 2, 3, 4, 5, 6])),
        xtc1(
          type: 0x0004_0013, phy: 0x0000_0100,
          le(2 as UInt32) + [140, 162].flatMap { le(1 as UInt32) + le(2 as UInt32) + le($0 as UInt32) }),
        xtc1(type: 0x0001_0003, phy: 0x0000_0200, [0, 0, 0, 0]),
      ])
    + datagram1(
      12, seconds: 1003, fiducial: 9,
      [
        xtc1(type: 0x0001_0002, phy: opal, damage: 1 << 1, frame(200)),
        xtc1(type: 0x0007_000F, log: 0x0600_0000, damage: 1 << 14, eBeam(mask: 0b10)),
        xtc1(type: 1, log: 0x0200_0002, damage: 1 << 15, [9, 9, 9]),
      ])
    + datagram1(12, seconds: 1004, fiducial: 0x1FFFF, [xtc1(type: 0x0001_0002, phy: opal, frame(300))])
    + datagram1(7, seconds: 1005, [])

  /// Hist16 as the tables of the format have it: pixels within 255 of `base` in one byte, a bitmap that tells which.
  static func hist16(_ pixels: [UInt16], base: UInt16, isRunLength: Bool) -> [UInt8] {
    var values: [UInt8] = []
    var words = [UInt16](repeating: 0, count: (pixels.count + 15) / 16)
    for (index, pixel) in pixels.enumerated() {
      if pixel >= base, pixel - base < 256 {
        values.append(UInt8(pixel - base))
        words[index / 16] |= 1 << UInt16(index % 16)
      } else {
        values += le(pixel)
      }
    }
    let bitmap = isRunLength ? words.flatMap { [1, $0] } : words
    let body = le(base) + le(UInt32(values.count)) + values + le(UInt32(bitmap.count)) + bitmap.flatMap { le($0) }
    let sum = pixels.reduce(0 as UInt32) { $0 &+ UInt32($1) }
    return le((isRunLength ? 3 : 1) as UInt32) + le(sum) + le(UInt32(body.count)) + body
  }

  static func block(header: [UInt8], engine: UInt32, size: Int, _ body: [UInt8]) -> [UInt8] {
    le(UInt32(header.count)) + header + le(engine) + le(0 as UInt32) + le(UInt32(size)) + le(UInt32(body.count)) + body
      + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
  }

  static let compressedPixels: [UInt16] = (0..<40).map { $0 % 7 == 3 ? 9000 + $0 : 1000 + $0 * 5 }
  static let compressedFrame: [UInt8] =
    le(8 as UInt32) + le(5 as UInt32) + le(16 as UInt32) + le(32 as UInt32) + compressedPixels.flatMap { le($0) }

  /// The same Frame in three encodings, and a compressed leaf of a kind that is not read.
  static let xtc1Compressed: [UInt8] = {
    let header = Array(compressedFrame[..<16]), pixels = Array(compressedFrame[16...])
    let frames = [
      block(header: header, engine: 0, size: 80, pixels),
      block(header: header, engine: 1, size: 80, hist16(compressedPixels, base: 1000, isRunLength: false)),
      block(header: header, engine: 1, size: 80, hist16(compressedPixels, base: 1000, isRunLength: true)),
    ]
    return datagram1(
      12, seconds: 1, fiducial: 3,
      frames.map { xtc1(type: 0x8001_0002, phy: opal, $0) } + [xtc1(type: 0x8001_0003, phy: 0x200, [1, 2, 3, 4])])
  }()

  // MARK: XTC2

  static func xtc2(type: UInt16, id: UInt32 = 0, damage: UInt16 = 0, _ payload: [UInt8]) -> [UInt8] {
    le(id) + le(damage) + le(type) + le(UInt32(12 + payload.count)) + payload
  }

  static func datagram2(_ service: UInt32, seconds: UInt32, _ records: [[UInt8]]) -> [UInt8] {
    le(seconds * 3) + le(seconds) + le(service << 24) + xtc2(type: 0, records.flatMap { $0 })
  }

  static func text(_ text: String) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0, count: 256 - text.utf8.count)
  }

  static func names(
    _ id: UInt32, _ type: String, _ detector: String, _ algorithm: String, segment: UInt32,
    _ fields: [(name: String, type: UInt32, rank: UInt32)]
  ) -> [UInt8] {
    let head = le(UInt32(fields.count)) + text(type) + text(detector) + text("serial") + text(algorithm) + le(0x01_02_03 as UInt32)
    let body = fields.flatMap { text($0.name) + le(0 as UInt32) + text($0.name) + le($0.type) + le($0.rank) }
    return xtc2(type: 4, id: id, head + le(segment) + body)
  }

  /// A ShapesData record; `junk` are bytes that psana's writer leaves behind the shapes.
  static func shapesData(_ id: UInt32, shapes: [[UInt32]], data: [UInt8], junk: Int = 0, dataFirst: Bool = false) -> [UInt8] {
    let table = shapes.flatMap { ($0 + [0, 0, 0, 0, 0]).prefix(5).flatMap { le($0) } } + [UInt8](repeating: 0xEE, count: junk)
    let parts = [xtc2(type: 2, id: id, table), xtc2(type: 3, id: id, data)]
    return xtc2(type: 1, id: id, (dataFirst ? parts.reversed() : parts).flatMap { $0 })
  }

  /// Two segments of a camera, given in the wrong order, and one scalar detector with an enumeration and a text.
  static let xtc2: [UInt8] = {
    let camera: [(name: String, type: UInt32, rank: UInt32)] = [("raw", 1, 2)]
    let configure = datagram2(
      2, seconds: 2000,
      [
        names(0x101, "epix", "cam", "raw", segment: 1, camera), names(0x100, "epix", "cam", "raw", segment: 0, camera),
        names(0x102, "ebeam", "beam", "raw", segment: 0, [("energy", 9, 0), ("mode:modes", 11, 0), ("note", 10, 1), ("pv.x", 5, 0)]),
        names(0x103, "runinfo", "runinfo", "runinfo", segment: 0, [("expt", 10, 1), ("runnum", 2, 0)]),
      ])
    let beginRun = datagram2(
      4, seconds: 2001, [shapesData(0x103, shapes: [[7]], data: Array("xpptut1".utf8) + le(14 as UInt32), junk: 4)])
    func event(_ number: UInt16, damage: UInt16 = 0) -> [UInt8] {
      func image(_ segment: UInt16) -> [UInt8] { (0..<6).flatMap { le(number * 100 + segment * 10 + $0 as UInt16) } }
      return datagram2(
        12, seconds: 2002 + UInt32(number),
        [
          shapesData(0x101, shapes: [[2, 3]], data: image(1), dataFirst: true), shapesData(0x100, shapes: [[2, 3]], data: image(0), junk: 4),
          shapesData(
            0x102, shapes: [[3]], data: le([Double(number) + 0.5]) + le(Int32(-2)) + Array("abc".utf8) + le(Int16(-7))),
        ])
    }
    return configure + beginRun + event(0) + event(1) + event(2) + datagram2(5, seconds: 2009, [])
  }()

  // MARK: Others

  static let grey8: [UInt8] = (0..<12 * 9).map { UInt8(truncatingIfNeeded: $0 * 7) }
  static let grey16: [UInt16] = (0..<12 * 9).map { UInt16($0 * 601) }

  static let npy: [UInt8] = NPYArray(
    element: .int16, shape: [3, 4, 5], bytes: Int16.bytes(littleEndian: (0..<60).map { Int16($0 - 30) })
  ).file

  static func npz(in scratch: Scratch) throws -> [UInt8] {
    let path = scratch.file("sample.npz")
    try NPZ.write(
      [
        ("image", NPYArray(element: .float32, shape: [2, 3], bytes: Float.bytes(littleEndian: [1, 2, 3, 4, 5, 6.5]))),
        ("mask", NPYArray(element: .uint8, shape: [2, 3], bytes: [1, 0, 1, 1, 1, 0])),
      ], to: path)
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Three 4x5 images with an identity and a scalar, in the layout of the XTCAV machine-learning files.
  static func hdf5(in scratch: Scratch) throws -> [UInt8] {
    let path = scratch.file("sample.h5")
    let file = try HDF5File(creating: path)
    try file.write((0..<60).map { Int16($0 - 9) }, shape: [3, 4, 5], to: "/xtcavimg", layout: .chunked([1, 4, 5]))
    try file.write([70, 70, 71] as [Int32], shape: [3], to: "/run")
    try file.write([11, 12, 13] as [Int64], shape: [3], to: "/evt.seconds")
    try file.write([1, 2, 3] as [Int64], shape: [3], to: "/evt.nanoseconds")
    try file.write([6, 9, 12] as [Int32], shape: [3], to: "/evt.fiducials")
    try file.write([0.5, 1.5, 2.5] as [Double], shape: [3], to: "/bld.ebeam.ebeamL3Energy")
    try file.write([0, 1, -1] as [Int8], shape: [3], to: "/acq.peaksLabel")
    try file.close()
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
