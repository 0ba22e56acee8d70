import Foundation
import Host
import Tensors

/// A psana geometry: a tree of objects, each placed in its parent's frame, whose leaves are detector segments.
///
/// Text format, one object a line: `PARENT index OBJECT index X0 Y0 Z0[um] ROT_Z ROT_Y ROT_X TILT_Z TILT_Y TILT_X[deg]`;
/// `#` starts a comment. Source: lcls-psana/PSCalib src/GeometryObject.py and GeometryAccess.py.
public struct Geometry: Hashable, Sendable {
  /// One object and where it sits in its parent.
  public struct Node: Hashable, Sendable {
    public var parent: String, parentIndex: Int
    public var object: String, index: Int
    /// Origin in the parent's frame, micrometres.
    public var x, y, z: Double
    /// Design angles about the axes of the parent, degrees.
    public var rotationZ, rotationY, rotationX: Double
    /// Corrections to them, degrees.
    public var tiltZ, tiltY, tiltX: Double

    public init(
      parent: String, parentIndex: Int = 0, object: String, index: Int = 0, x: Double = 0, y: Double = 0, z: Double = 0,
      rotationZ: Double = 0, rotationY: Double = 0, rotationX: Double = 0, tiltZ: Double = 0, tiltY: Double = 0, tiltX: Double = 0
    ) {
      self.parent = parent
      self.parentIndex = parentIndex
      self.object = object
      self.index = index
      self.x = x
      self.y = y
      self.z = z
      self.rotationZ = rotationZ
      self.rotationY = rotationY
      self.rotationX = rotationX
      self.tiltZ = tiltZ
      self.tiltY = tiltY
      self.tiltX = tiltX
    }
  }

  public var nodes: [Node]
  /// The comment lines, without `#`.
  public var comments: [String]
  /// Where it was read from, for messages; empty where it was made.
  public var path: String

  public init(nodes: [Node], comments: [String] = [], path: String = "") {
    self.nodes = nodes
    self.comments = comments
    self.path = path
  }

  public init(readingFrom path: String) throws(InputError) {
    let data = try AtomicFile.read(path)
    guard let text = String(data: data, encoding: .utf8) else {
      throw InputError(path: path, place: "text", expected: "text in UTF-8", found: "other bytes")
    }
    try self.init(parsing: text, path: path)
  }

  /// Throws with the line number where a line is not an object or no line is.
  public init(parsing text: String, path: String) throws(InputError) {
    nodes = []
    comments = []
    self.path = path
    var known: [ObjectKey: Int] = [:]
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let trimmed = line.trimmingCharacters(in: .whitespaces.union(.controlCharacters))
      if trimmed.isEmpty { continue }
      if trimmed.hasPrefix("#") {
        comments.append(String(trimmed.dropFirst()).trimmingCharacters(in: .whitespaces))
        continue
      }
      let node = try Self.node(trimmed, path: path, line: number + 1)
      if let earlier = known.updateValue(number + 1, forKey: ObjectKey(node.object, node.index, node.parent, node.parentIndex)) {
        throw InputError(
          path: path, place: "line \(number + 1)", expected: "each object once",
          found: "\(node.object) \(node.index) of \(node.parent) \(node.parentIndex) again, first in line \(earlier)")
      }
      nodes.append(node)
    }
    guard !nodes.isEmpty else {
      throw InputError(path: path, place: "text", expected: "at least one line of 13 geometry fields", found: "none")
    }
  }

  private static func node(_ line: String, path: String, line number: Int) throws(InputError) -> Node {
    let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
    guard fields.count == 13 else {
      throw InputError(path: path, place: "line \(number)", expected: "13 geometry fields", found: "\(fields.count)")
    }
    var values: [Double] = []
    for (position, field) in fields.enumerated() where position != 0 && position != 2 {
      guard let value = Double(field), value.isFinite else {
        throw InputError(path: path, place: "line \(number) field \(position + 1)", expected: "a number", found: String(field))
      }
      values.append(value)
    }
    guard let parentIndex = Int(exactly: values[0]), let index = Int(exactly: values[1]), parentIndex >= 0, index >= 0 else {
      throw InputError(path: path, place: "line \(number)", expected: "whole object indices from 0", found: "\(fields[1]), \(fields[3])")
    }
    return Node(
      parent: String(fields[0]), parentIndex: parentIndex, object: String(fields[2]), index: index, x: values[2], y: values[3],
      z: values[4], rotationZ: values[5], rotationY: values[6], rotationX: values[7], tiltZ: values[8], tiltY: values[9],
      tiltX: values[10])
  }

  /// The file that `init(parsing:path:)` reads back, numbers exact.
  public var text: String {
    comments.map { "# \($0)\n" }.joined() + "\n"
      + nodes.map { n in
        "\(n.parent) \(n.parentIndex) \(n.object) \(n.index) \(n.x) \(n.y) \(n.z) "
          + "\(n.rotationZ) \(n.rotationY) \(n.rotationX) \(n.tiltZ) \(n.tiltY) \(n.tiltX)\n"
      }.joined()
  }

  /// Without the rows of the interaction point (parent `IP`): pixel positions in the detector's own frame.
  public var withoutInteractionPoint: Geometry {
    Geometry(nodes: nodes.filter { !$0.parent.hasPrefix("IP") }, comments: comments, path: path)
  }
}

struct ObjectKey: Hashable {
  var name: String, index: Int, parent: String, parentIndex: Int
  init(_ name: String, _ index: Int, _ parent: String = "", _ parentIndex: Int = 0) {
    self.name = name
    self.index = index
    self.parent = parent
    self.parentIndex = parentIndex
  }
}
