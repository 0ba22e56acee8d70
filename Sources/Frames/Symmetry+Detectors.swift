import Foundation
import Host
import Tensors

/// Symmetries of detectors. psana's x runs down the rows of a picture and y along its columns, so a position is the direction (y, x).
extension Symmetry {
  /// Where the pixels lie when the detector is turned about the origin, which is the beam where the geometry has an interaction point.
  public func callAsFunction(_ positions: PixelPositions) -> PixelPositions {
    var turned = positions
    for i in positions.x.elements.indices {
      (turned.x.elements[i], turned.y.elements[i]) = self(x: positions.x.elements[i], y: positions.y.elements[i])
    }
    return turned
  }

  /// The canvas of the turned detector: exactly the canvas turned, pixel by pixel. (Assembled anew from turned positions, panels at an angle
  /// round to other canvas pixels by up to one.)
  public func callAsFunction(_ assembly: Assembly) -> Assembly { Assembly(assembly, turnedBy: self) }

  /// The detector that has the same panels where the turned one has them: what stands there measures the same part of the picture turned,
  /// while each panel is still read from its own first pixel. Exact where a segment is its own mirror image, as all of `SegmentMap` but
  /// the uncentred `MTRX` are.
  ///
  /// A reflection is y -> −y followed by a turn: rotations about z and x change their sign, and so down the tree; a turn moves the objects
  /// at its top. Throws for quarter turns of objects that are rotated about x or y there, which one line of a geometry cannot hold.
  public func callAsFunction(_ geometry: Geometry) throws(InputError) -> Geometry {
    var turned = geometry
    if determinant < 0 {
      for i in turned.nodes.indices {
        turned.nodes[i].y = 0 - turned.nodes[i].y
        turned.nodes[i].rotationZ = 0 - turned.nodes[i].rotationZ
        turned.nodes[i].tiltZ = 0 - turned.nodes[i].tiltZ
        turned.nodes[i].rotationX = 0 - turned.nodes[i].rotationX
        turned.nodes[i].tiltX = 0 - turned.nodes[i].tiltX
      }
    }
    // What is left is a turn: where it brings psana's x, which y -> −y leaves.
    let axis = self(x: 1, y: 0), degrees = (atan2(axis.y, axis.x) * 180 / .pi).rounded()
    guard degrees != 0 else { return turned }
    let objects = Set(geometry.nodes.map { ObjectKey($0.object, $0.index) })
    for i in turned.nodes.indices where !objects.contains(ObjectKey(turned.nodes[i].parent, turned.nodes[i].parentIndex)) {
      var node = turned.nodes[i]
      let isFlat = [node.rotationX, node.tiltX, node.rotationY, node.tiltY].allSatisfy { $0 == 0 }
      guard isFlat || abs(degrees) == 180 else {
        throw InputError(
          path: geometry.path, place: "\(node.object) \(node.index)", expected: "no rotation about x or y, to be turned by \(degrees)°",
          found: "\(node.rotationY + node.tiltY)° about y, \(node.rotationX + node.tiltX)° about x")
      }
      (node.x, node.y) = (axis.x * node.x - axis.y * node.y, axis.y * node.x + axis.x * node.y)
      node.rotationZ += degrees
      (node.rotationX, node.tiltX) = (0 - node.rotationX, 0 - node.tiltX)
      (node.rotationY, node.tiltY) = (0 - node.rotationY, 0 - node.tiltY)
      turned.nodes[i] = node
    }
    return turned
  }

  /// A position in psana's axes.
  package func callAsFunction(x: Double, y: Double) -> (x: Double, y: Double) {
    let turned = self(direction: SIMD2(y, x))
    return (turned.y, turned.x)
  }
}

extension Assembly {
  /// The canvas turned, pixel by pixel, and the geometry's frame with it.
  init(_ assembly: Assembly, turnedBy symmetry: Symmetry) {
    let turned = symmetry(Tensor([assembly.height, assembly.width], assembly.sources))
    (height, width) = (turned.shape[0], turned.shape[1])
    (panelShape, pixelSizeMM, sources) = (assembly.panelShape, assembly.pixelSizeMM, turned.elements)
    // Where each pixel of the old canvas lies on the new one.
    let places = symmetry.inverse.sources(height: height, width: width)
    targets = assembly.targets.map { $0 < 0 ? -1 : Int32(places[Int($0)]) }
    let first = symmetry.sources(height: assembly.height, width: assembly.width)[0], pitch = assembly.pixelSizeMM
    originMM = symmetry(
      x: assembly.originMM.x + Double(first / assembly.width) * pitch, y: assembly.originMM.y + Double(first % assembly.width) * pitch)
    centreMM = symmetry(x: assembly.centreMM.x, y: assembly.centreMM.y)
  }
}
