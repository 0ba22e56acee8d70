import Foundation
import Host
import Tensors

/// psana's folder of calibration constants: `calib/<group>/<source>/<type>/<first>-<last|end>.data`.
///
/// Types read: `pedestals`, `pixel_offset` (added to them), `pixel_status`, `pixel_mask` (1 good), `pixel_rms`, `pixel_gain`
/// (signal per ADU, the inverse of `CalibrationConstants.gain`) and `geometry`. Pedestals, offsets, gains and noise have one block,
/// 3 (Jungfrau) or 7 (ePix10ka), one a gain range; a pixel whose status is bad in one range is bad. Source: lcls1 PSCalib/src/GlobalUtils.py, CalibFileFinder.py.
public struct CalibrationFolder: Sendable {
  /// The folder `calib` itself.
  public let path: String

  public init(_ path: String) { self.path = path }

  /// What one file holds; the raw value is its folder's name.
  public enum Kind: String, Sendable, CaseIterable {
    case pedestals, offset = "pixel_offset", status = "pixel_status", noise = "pixel_rms", gain = "pixel_gain", mask = "pixel_mask", geometry
  }

  /// The constants of `source` for `run`, for raw frames `shape`.
  ///
  /// A missing type leaves its array `nil`; a source without any folder throws `.missing`, as does a source whose files all
  /// belong to other runs. The digest is SHA-256 over the SHA-256 of the files used, in the order of `Kind`.
  public func constants(
    for source: String, run: Int, shape: Shape, commonMode: CommonMode = .none, mask: PixelMask = PixelMask()
  ) throws(InputError) -> CalibrationConstants {
    guard let folder = try folder(of: source) else {
      throw InputError(
        .missing, path: path, place: Self.canonical(source), expected: "a folder of calibration constants", found: "none")
    }
    var result = CalibrationConstants(commonMode: commonMode, mask: mask), digests: [String] = []
    for kind in Kind.allCases where kind != .geometry {
      guard let file = try Self.file(in: "\(folder)/\(kind.rawValue)", run: run) else { continue }
      let data = try AtomicFile.read(file)
      let digest = Checksum.sha256(data)
      digests.append("\(kind.rawValue) \(digest)")
      let values = try Self.array([UInt8](data), shape: shape, blocks: kind == .mask ? [1] : [1, 3, 7], path: file)
      switch kind {
      case .pedestals:
        result.pedestal = values
        // One number for all pixels is the camera's offset, no measurement that leaves a pattern.
        let isMeasured = values.elements.contains { $0 != values.elements[0] }
        result.darkSet = isMeasured ? digest : ""
      case .offset:
        guard let pedestal = result.pedestal, pedestal.shape == values.shape else {
          throw InputError(path: file, place: "", expected: "offsets of the shape of the pedestals", found: "\(values.shape)")
        }
        result.pedestal = Tensor(values.shape, zip(pedestal.elements, values.elements).map { $0 + $1 })
      case .noise: result.noise = values
      case .gain: result.gain = values.map { 1 / $0 }
      case .status:
        guard values.elements.allSatisfy({ $0 >= 0 && $0 < 4_294_967_040 && $0 == $0.rounded() }) else {
          throw InputError(path: file, place: "numbers", expected: "whole status words from 0", found: "other numbers")
        }
        var status = [UInt32](repeating: 0, count: shape.count)
        for i in values.elements.indices { status[i % status.count] |= UInt32(values.elements[i]) }
        result.status = Tensor(shape, status)
      case .mask: result.pixelMask = values.map { $0 == 0 ? 0 : 1 }
      case .geometry: break
      }
    }
    guard !digests.isEmpty else {
      throw InputError(.missing, path: folder, place: "", expected: "calibration constants for run \(run)", found: "none")
    }
    result.digest = Checksum.sha256([UInt8](digests.joined(separator: "\n").utf8))
    return result
  }

  /// The first run of the dark set (the pedestals' file) that `source` uses in `run`, or `nil` where it has none. A later dark run
  /// closes the range of an earlier one but does not change where that one starts.
  public func firstRunOfDarkSet(for source: String, run: Int) throws(InputError) -> Int? {
    guard let folder = try folder(of: source),
      let file = try Self.file(in: "\(folder)/\(Kind.pedestals.rawValue)", run: run)
    else { return nil }
    return Int(file.nameInPath.prefix { $0 != "-" })
  }

  /// The geometry of `source` for `run`, or `nil` where the folder has none for it.
  public func geometry(for source: String, run: Int) throws(InputError) -> Geometry? {
    guard let folder = try folder(of: source), let file = try Self.file(in: "\(folder)/geometry", run: run) else { return nil }
    return try Geometry(readingFrom: file)
  }

  /// Writes an array for runs `first...last` (`nil`: to the end) as psana's text. `values` of kind `.gain` are signal per ADU.
  @discardableResult
  public func write(
    _ values: Tensor<Float>, kind: Kind, source: String, experiment: String, first: Int, last: Int? = nil
  ) throws(InputError) -> String {
    let decimals =
      switch kind {
      case .status, .mask: 0
      case .gain: 6
      default: 2
      }
    let data = CalibrationText.data(
      values, kind: kind.rawValue, source: Self.canonical(source), experiment: experiment, decimals: decimals)
    return try write(data, kind: kind, source: source, first: first, last: last)
  }

  /// Writes a geometry for runs `first...last` (`nil`: to the end).
  @discardableResult
  public func write(_ geometry: Geometry, source: String, first: Int, last: Int? = nil) throws(InputError) -> String {
    try write(Data(geometry.text.utf8), kind: .geometry, source: source, first: first, last: last)
  }

  private func write(_ data: Data, kind: Kind, source: String, first: Int, last: Int?) throws(InputError) -> String {
    let file = "\(path)/\(Self.group(source))/\(Self.canonical(source))/\(kind.rawValue)/\(first)-\(last.map(String.init) ?? "end").data"
    try AtomicFile.write(data, to: file)
    return file
  }

  /// `CxiDs1.0:Cspad.0` for that, `DetInfo(CxiDs1.0:Cspad.0)` and the DAQ's `CxiDs1-0|Cspad-0`.
  public static func canonical(_ source: String) -> String {
    var name = source
    // A dataset of psana-translate: …/CsPad::ElementV2/CxiDs1.0:Cspad.0/data.
    if name.contains("/"), let device = name.split(separator: "/").last(where: { $0.contains(":") && $0.contains(".") && !$0.contains("::") }) {
      return String(device)
    }
    if name.hasPrefix("DetInfo("), name.hasSuffix(")") { name = String(name.dropFirst(8).dropLast()) }
    guard name.contains("|") else { return name }
    return String(name.map { $0 == "|" ? ":" : $0 == "-" ? "." : $0 })
  }

  /// psana's calibration group of a device.
  static func group(_ source: String) -> String {
    let device = canonical(source).split(separator: ":").last?.split(separator: ".").first.map(String.init) ?? ""
    return switch device.lowercased() {
    case "cspad": "CsPad::CalibV1"
    case "cspad2x2": "CsPad2x2::CalibV1"
    case "jungfrau": "Jungfrau::CalibV1"
    case "epix100a": "Epix100a::CalibV1"
    case "epix10ka": "Epix10ka::CalibV1"
    case "epix10kaquad": "Epix10kaQuad::CalibV1"
    case "epix10ka2m": "Epix10ka2M::CalibV1"
    case "pnccd": "PNCCD::CalibV1"
    case "rayonix": "Camera::CalibV1"
    default: "Camera::CalibV1"
    }
  }

  /// The folder of a source in its own group, else in whichever group has it.
  private func folder(of source: String) throws(InputError) -> String? {
    let name = Self.canonical(source)
    guard !name.contains("/"), name != "..", name != ".", !name.isEmpty else { return nil }
    let expected = "\(path)/\(Self.group(source))/\(name)"
    if AtomicFile.isFolder(expected) { return expected }
    guard AtomicFile.isFolder(path) else {
      throw InputError(.missing, path: path, place: "", expected: "a folder of calibration constants", found: "none")
    }
    return try Self.entries(path).map { "\(path)/\($0)/\(name)" }.first { AtomicFile.isFolder($0) }
  }

  private static func entries(_ folder: String) throws(InputError) -> [String] {
    do { return try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
      throw InputError(.inputOutput, path: folder, place: "list", expected: "a readable folder", found: error.localizedDescription)
    }
  }

  /// The file whose range holds `run`: the latest start wins, then the earliest end. Names of another form are other files.
  static func file(in folder: String, run: Int) throws(InputError) -> String? {
    guard AtomicFile.isFolder(folder) else { return nil }
    var best: (first: Int, last: Int, name: String)?
    for name in try entries(folder) where name.hasSuffix(".data") || name.hasSuffix(".npy") {
      let stem = name.prefix { $0 != "." }.split(separator: "-")
      guard stem.count == 2, let first = Int(stem[0]), let last = stem[1] == "end" ? Int.max : Int(stem[1]) else { continue }
      guard first <= run, run <= last else { continue }
      if let best, (best.first, -best.last) >= (first, -last) { continue }
      best = (first, last, name)
    }
    return best.map { "\(folder)/\($0.name)" }
  }

  /// Text or .npy by content; the count must be that of one of so many blocks of `shape`, however the file groups its axes.
  static func array(_ bytes: [UInt8], shape: Shape, blocks: [Int], path: String) throws(InputError) -> Tensor<Float> {
    let values: [Float]
    if bytes.starts(with: NPYArray.magic) {
      let stored = try NPYArray(parsing: bytes, path: path)
      let info = PayloadInfo(source: "", typeName: "npy", element: stored.element, shape: stored.shape)
      values = try NumericArray.decode(Payload(info: info, bytes: stored.bytes), path: path)
    } else {
      values = try CalibrationText.parse(bytes, path: path).values
    }
    guard let count = blocks.first(where: { values.count == $0 * shape.count }) else {
      let also = blocks.count > 1 ? ", or that times \(blocks.dropFirst().map(String.init).joined(separator: " or "))" : ""
      throw InputError(path: path, place: "numbers", expected: "\(shape.count) numbers for \(shape)\(also)", found: "\(values.count)")
    }
    return Tensor(Shape([count * shape[0]] + shape.extents.dropFirst()), values)
  }
}
