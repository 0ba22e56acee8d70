import Foundation
import Host
import Tensors

/// Where the pixels of all panels are, in the frame of the geometry's top object, micrometres.
/// psana's axes: x runs down the rows of an image, y along its columns.
public struct PixelPositions: Sendable {
  /// `[panels, rows, columns]`, in the order of the data; of a psana geometry depth first, objects of one name by index.
  public var x: Tensor<Double>, y: Tensor<Double>, z: Tensor<Double>
  /// The pitch of the regular pixels, micrometres.
  public var pixelSize: Double
  /// Pixels that the geometry leaves out, row-major; empty for none. Their positions mean nothing.
  public var isLeftOut: [Bool] = []
}

/// The pixel map of one kind of segment, in its own frame: x along the columns, y up, origin in the middle.
struct SegmentMap: Equatable {
  /// Per row-major pixel, micrometres.
  var x: [Double], y: [Double]
  var rows: Int, columns: Int
  var pixelSize: Double

  /// The segment of that psana name, or `nil` for an object that only groups others.
  /// Sources: PSCalib src/SegGeometry{Cspad2x1V1,Epix100V1,Epix10kaV1,EpixHR2x2V1,JungfrauV1,JungfrauV2,MatrixV1}.py.
  init?(named name: String) {
    switch name {
    case "SENS2X1:V1":
      // The two central columns are 2.5 pixels wide: the halves stand 2 wide pixels apart.
      let p = 109.92
      self.init(columns: Self.mirrored(194, first: 2 * p, p), rows: (0..<185).map { Double(92 - $0) * p }, pixelSize: p)
    case "EPIX100:V1":
      let p = 50.0, first = 175.0 - 25.0
      self.init(columns: Self.mirrored(384, first: first, p), rows: Self.mirrored(352, first: first, p).map { -$0 }, pixelSize: p)
    case "EPIX10KA:V1", "EPIX10KA:V2":
      // Wide pixels of 225 um in the middle both ways. (LCLS-I's first V1 had 250 um, which V2 corrected; LCLS-II's V1 has 225.)
      let p = 100.0, first = 225.0 - p / 2
      self.init(columns: Self.mirrored(192, first: first, p), rows: Self.mirrored(176, first: first, p).map { -$0 }, pixelSize: p)
    case "EPIXHR2X2:V1":
      let p = 100.0, first = 225.0 - p / 2
      self.init(columns: Self.mirrored(192, first: first, p), rows: Self.mirrored(144, first: first, p).map { -$0 }, pixelSize: p)
    case "PNCCD:V1":
      guard let matrix = Self.matrix("MTRX:512:512:75:75") else { return nil }
      self = matrix
    case "JUNGFRAU:V1", "JUNGFRAU:V2":
      let p = 75.0
      let x = [-514.5, -256.5, 1.5, 259.5].flatMap { start in (0..<256).map { (start + Double($0)) * p } }
      let up = [-256.5, 1.5].flatMap { start in (0..<256).map { (start + Double($0)) * p } }
      // V2 has the middles of the double-wide pixels between ASICs where they are, V1 as if these were single.
      func widened(_ places: [Double]) -> [Double] {
        places.indices.map { i in
          let isLast = i % 256 == 255 && i + 1 < places.count, isFirst = i % 256 == 0 && i > 0
          return places[i] + (isLast ? p / 2 : isFirst ? -p / 2 : 0)
        }
      }
      let isV2 = name == "JUNGFRAU:V2"
      self.init(columns: isV2 ? widened(x) : x, rows: isV2 ? widened(up) : up.map { -$0 }, pixelSize: p)
    default:
      guard let matrix = Self.matrix(name) else { return nil }
      self = matrix
    }
  }

  private init(columns: [Double], rows: [Double], pixelSize: Double) {
    x = rows.flatMap { _ in columns }
    y = rows.flatMap { row in columns.map { _ in row } }
    self.rows = rows.count
    self.columns = columns.count
    self.pixelSize = pixelSize
  }

  private static func mirrored(_ half: Int, first: Double, _ pitch: Double) -> [Double] {
    let right = (0..<half).map { first + Double($0) * pitch }
    return right.reversed().map { -$0 } + right
  }

  /// `MTRX:rows:columns:rowPitch:columnPitch`: x down the rows and y along the columns, origin in pixel (0,0).
  /// `MTRX:V2:…`: x along the columns and y up, origin in the middle.
  private static func matrix(_ name: String) -> SegmentMap? {
    var fields = name.split(separator: ":")
    let isCentred = fields.count == 6 && fields[1] == "V2"
    if isCentred { fields.remove(at: 1) }
    guard fields.count == 5, fields[0] == "MTRX", let rows = Int(fields[1]), let columns = Int(fields[2]),
      let rowPitch = Double(fields[3]), let columnPitch = Double(fields[4]), (1...32768).contains(rows), (1...32768).contains(columns),
      rowPitch > 0, columnPitch > 0, rowPitch.isFinite, columnPitch.isFinite
    else { return nil }
    if isCentred {
      return SegmentMap(
        columns: (0..<columns).map { (Double($0) - Double(columns - 1) / 2) * columnPitch },
        rows: (0..<rows).map { (Double(rows - 1) / 2 - Double($0)) * rowPitch }, pixelSize: min(rowPitch, columnPitch))
    }
    var map = SegmentMap(columns: [0], rows: [0], pixelSize: min(rowPitch, columnPitch))
    map.rows = rows
    map.columns = columns
    map.x = (0..<rows).flatMap { row in (0..<columns).map { _ in Double(row) * rowPitch } }
    map.y = (0..<rows).flatMap { _ in (0..<columns).map { Double($0) * columnPitch } }
    return map
  }
}

extension Geometry {
  /// The positions of all pixels. Throws where the tree has no single top, a loop, no known segment or unequal segments.
  public func pixelPositions() throws(InputError) -> PixelPositions {
    var children: [ObjectKey: [Node]] = [:]
    var names = Set<ObjectKey>()
    for node in nodes {
      children[ObjectKey(node.parent, node.parentIndex), default: []].append(node)
      names.insert(ObjectKey(node.object, node.index))
    }
    let tops = children.keys.filter { !names.contains($0) }
    guard tops.count == 1, let top = tops.first else {
      let found = tops.map { "\($0.name) \($0.index)" }.sorted().joined(separator: ", ")
      throw InputError(path: path, place: "", expected: "a tree with one top object", found: tops.isEmpty ? "a loop" : found)
    }
    var collected: [(x: [Double], y: [Double], z: [Double])] = []
    var kind: (name: String, map: SegmentMap)?
    var visited = 0

    func collect(_ key: ObjectKey, _ path: [Node]) throws(InputError) {
      let below = (children[key] ?? []).sorted { ($0.index, $0.object) < ($1.index, $1.object) }
      for node in below {
        visited += 1
        guard path.count < 32 else {
          throw InputError(path: self.path, place: node.object, expected: "at most 32 levels of objects", found: "more")
        }
        let next = ObjectKey(node.object, node.index), chain = [node] + path
        if children[next] != nil {
          try collect(next, chain)
          continue
        }
        guard let map = kind?.name == node.object ? kind?.map : SegmentMap(named: node.object) else {
          throw InputError(path: self.path, place: "\(node.object) \(node.index)", expected: "a known segment", found: node.object)
        }
        if let known = kind, known.map.rows != map.rows || known.map.columns != map.columns {
          throw InputError(
            path: self.path, place: "\(node.object) \(node.index)", expected: "segments of one shape like \(known.name)", found: node.object)
        }
        kind = (node.object, map)
        guard collected.count < 256 else {
          throw InputError(path: self.path, place: "", expected: "at most 256 segments", found: "more")
        }
        collected.append(chain.reduce((map.x, map.y, [Double](repeating: 0, count: map.x.count))) { Self.placed($0, by: $1) })
      }
    }
    try collect(top, [])
    guard let kind, visited == nodes.count else {
      throw InputError(path: path, place: "", expected: "every object in one tree", found: "\(visited) of \(nodes.count) reachable")
    }
    let shape: Shape = [collected.count, kind.map.rows, kind.map.columns]
    return PixelPositions(
      x: Tensor(shape, collected.flatMap(\.x)), y: Tensor(shape, collected.flatMap(\.y)), z: Tensor(shape, collected.flatMap(\.z)),
      pixelSize: kind.map.pixelSize)
  }

  /// Points in an object's frame -> its parent's: rotate (X,Y), then (Z,X), then (Y,Z), then shift.
  private static func placed(
    _ points: (x: [Double], y: [Double], z: [Double]), by node: Node
  ) -> (x: [Double], y: [Double], z: [Double]) {
    var (x, y, z) = points
    rotate(&x, &y, node.rotationZ + node.tiltZ)
    rotate(&z, &x, node.rotationY + node.tiltY)
    rotate(&y, &z, node.rotationX + node.tiltX)
    for i in x.indices {
      x[i] += node.x
      y[i] += node.y
      z[i] += node.z
    }
    return (x, y, z)
  }

  private static func rotate(_ a: inout [Double], _ b: inout [Double], _ degrees: Double) {
    guard degrees != 0 else { return }
    let c = cos(degrees * .pi / 180), s = sin(degrees * .pi / 180)
    for i in a.indices { (a[i], b[i]) = (a[i] * c - b[i] * s, b[i] * c + a[i] * s) }
  }

  /// Nominal CSPAD sensors: X0, Y0 in mm and rotation in degrees, by data order. Source: the default psana geometry.
  public static let cspadSensors: [(x: Double, y: Double, rotation: Double)] = [
    (51.6, 112.7, 90), (74.2, 112.9, 90), (16.4, 124.1, 0), (16.4, 101.4, 0), (27.8, 159.2, 270), (4.8, 159.3, 270),
    (62.8, 168.6, 0), (62.9, 145.9, 0), (107.1, 129.5, 0), (107.1, 106.7, 0), (118.9, 164.7, 270), (95.9, 164.6, 270),
    (153.9, 153.1, 180), (153.8, 175.8, 180), (163.1, 118.0, 270), (140.3, 117.9, 270), (123.9, 73.7, 270),
    (101.3, 73.7, 270), (159.0, 62.2, 180), (159.0, 84.9, 180), (148.0, 26.8, 90), (170.4, 26.9, 90), (112.7, 17.7, 180),
    (112.6, 40.6, 180), (68.4, 57.0, 180), (68.3, 79.7, 180), (56.9, 22.0, 90), (79.5, 22.0, 90), (21.7, 33.1, 0),
    (21.7, 10.5, 0), (12.4, 68.2, 90), (35.2, 68.3, 90),
  ]

  /// A CSPAD with its sensors at their nominal places.
  public static let nominalCSPAD = Geometry(
    nodes: cspadSensors.enumerated().map { index, sensor in
      Node(parent: "CSPAD:V2", object: "SENS2X1:V1", index: index, x: 1000 * sensor.x, y: 1000 * sensor.y, rotationZ: sensor.rotation)
    } + [Node(parent: "IP", object: "CSPAD:V2")], path: "nominal CSPAD")

  /// A Jungfrau 4M with its eight modules of 512×1024 at their nominal places, two rows that are shifted against each other.
  /// Source: psana's default geometry of the detector.
  public static let nominalJungfrau4M = Geometry(
    nodes: [
      (-56807.1, 44005.5), (-15557.5, 44005.5), (25692.1, 33921.7), (66941.7, 33921.7), (-66941.7, -33921.7), (-25692.1, -33921.7),
      (15557.5, -44005.5), (56807.1, -44005.5),
    ].enumerated().map { index, place in
      Node(parent: "JFCAMERA:V1", object: "JUNGFRAU:V2", index: index, x: place.0, y: place.1, rotationZ: 90, rotationY: 180)
    } + [Node(parent: "IP:V1", object: "JFCAMERA:V1", rotationZ: 90)], path: "nominal Jungfrau 4M")
}
